<?php
// A client of Rota's token socket. PHP 8.1 or later, no extensions.
//
//   $rota = new Rota();
//   $token = $rota->token(['email' => 'grace@example.com']);
//   // Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
//   $token = $rota->token(['email' => 'grace@example.com'], refused: $token);
//
// On a listener, with the token that `rota client add` printed:
//
//   $rota = new Rota('127.0.0.1:8465', bearer: getenv('ROTA_TOKEN'));
//
// Under PHP-FPM an object lives for one request. That is enough: a fetch takes microseconds.

declare(strict_types=1);

/** Rota gave no token. `reason` says why; `retryAfter` says in how many seconds to ask again. */
class RotaError extends RuntimeException
{
    public function __construct(
        public readonly int $status,
        public readonly string $reason,
        string $message,
        public readonly ?int $retryAfter = null,
    ) {
        parent::__construct("$status $reason: $message");
    }
}

/** The member left, or an operator blocked it: stop acting for this member. */
class MemberGone extends RotaError
{
}

final class Rota
{
    private const LIFE_SECONDS_MIN = 60; // a token with less life left is fetched again
    private const KEPT_TOKENS_MAX = 10_000;
    private const CONNECT_AGAIN_SECONDS = 0.05;
    private const REPLY_SECONDS_EXTRA = 5; // on top of what Rota may wait, so that its answer comes first
    private const NO_FILE = 2; // ENOENT
    private const NO_ACCESS = 13; // EACCES

    /** @var array<string, array{string, float}> query => token, and until when it may be used */
    private array $kept = [];

    /**
     * @param string $path of a socket, or ADDRESS:PORT of a listener
     * @param float $patience for how many seconds one call may wait and try again
     * @param string $bearer for a listener
     */
    public function __construct(
        private readonly string $path = '/run/rota/token.sock',
        private readonly float $patience = 10,
        #[SensitiveParameter] private readonly string $bearer = '',
    ) {
    }

    /**
     * An access token of the member, which is named by one of email, community_member_id, sso_user_id.
     *
     * @param array<string, string|int> $member
     * @param ?string $refused the token to which Circle answered 401
     * @throws RotaError
     */
    public function token(array $member, ?string $refused = null): string
    {
        $query = http_build_query($member);
        [$token, $until] = $this->kept[$query] ?? [null, 0.0];
        if ($token !== null && $token !== $refused && self::now() < $until) {
            return $token;
        }
        unset($this->kept[$query]);
        $also = $refused === null ? '' : '&refused=' . substr(hash('sha256', $refused), 0, 16);
        $deadline = self::now() + $this->patience;
        while (true) {
            $askedAt = self::now();
            try {
                [$status, $headers, $body] = $this->get($query . $also, max(0.0, $deadline - $askedAt));
                if ($status === 200) {
                    $life = (int) $headers['rota-expires-in'];
                    $this->keep($query, $body['access_token'], $askedAt + max($life - self::LIFE_SECONDS_MIN, $life / 2));
                    return $body['access_token'];
                }
                $pause = (int) ($headers['retry-after'] ?? 0);
                $kind = $status === 410 ? MemberGone::class : RotaError::class;
                $failure = new $kind($status, $body['code'], $body['message'], $pause ?: null);
                if ($status !== 503) {
                    throw $failure;
                }
            } catch (UnexpectedValueException $error) {
                $failure = new RotaError(0, 'unreachable', $error->getMessage());
                // The queue of new connections is full, or the daemon has just been restarted.
                $final = in_array($error->getCode(), [self::NO_FILE, self::NO_ACCESS], true);
                $pause = $final ? 0 : self::CONNECT_AGAIN_SECONDS;
            }
            if (!$pause || self::now() + $pause > $deadline) {
                throw $failure;
            }
            usleep((int) ($pause * 1_000_000));
        }
    }

    /**
     * @return array{int, array<string, string>, array<string, mixed>} status, headers, body
     * @throws UnexpectedValueException if no whole reply came; its code is that of the system
     */
    private function get(string $query, float $wait): array
    {
        $limit = $wait + self::REPLY_SECONDS_EXTRA;
        $to = $this->path[0] === '/' ? "unix://{$this->path}" : "tcp://{$this->path}";
        $socket = @stream_socket_client($to, $code, $message, $limit);
        if ($socket === false) {
            throw new UnexpectedValueException($message, $code);
        }
        stream_set_timeout($socket, (int) ceil($limit));
        $wait = (int) $wait;
        $bearer = $this->bearer === '' ? '' : "Authorization: Bearer {$this->bearer}\r\n";
        @fwrite($socket, "GET /v1/token?$query&wait=$wait HTTP/1.1\r\nHost: localhost\r\n"
            . "{$bearer}Connection: close\r\n\r\n");
        $reply = (string) @stream_get_contents($socket);
        fclose($socket);
        [$head, $text] = explode("\r\n\r\n", $reply, 2) + [1 => ''];
        $lines = explode("\r\n", $head);
        $headers = [];
        foreach (array_slice($lines, 1) as $line) {
            [$name, $value] = explode(':', $line, 2);
            $headers[strtolower($name)] = trim($value);
        }
        $body = json_decode($text, true);
        if (!is_array($body)) {
            throw new UnexpectedValueException('the connection ended without a whole reply');
        }
        return [(int) substr($lines[0], strlen('HTTP/1.1 '), 3), $headers, $body];
    }

    private function keep(string $query, string $token, float $until): void
    {
        if (count($this->kept) >= self::KEPT_TOKENS_MAX) {
            $this->kept = []; // a fetch takes microseconds
        }
        $this->kept[$query] = [$token, $until];
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
