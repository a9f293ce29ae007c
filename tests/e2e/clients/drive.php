<?php
// What the test asks on standard input, the client in docs/clients/Rota.php answers. See clients_test.cc.
require 'Rota.php';

$client = new Rota($argv[1], (float) $argv[2], (string) getenv('ROTA_TOKEN'));
$last = [];
while (($line = fgets(STDIN)) !== false) {
    [$what, $name, $value] = explode(' ', trim($line));
    try {
        $last[$value] = $client->token([$name => $value], $what === 'refused' ? $last[$value] : null);
        echo "token {$last[$value]}\n";
    } catch (MemberGone $gone) {
        echo "gone {$gone->reason}\n";
    } catch (RotaError $error) {
        echo "error {$error->reason} ", $error->retryAfter ?? 0, "\n";
    }
}
