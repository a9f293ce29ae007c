# What the test asks on standard input, the client in docs/clients/rota.rb answers. See clients_test.cc.
require_relative "rota"

$stdout.sync = true
client = Rota.new(path: ARGV[0], patience: ARGV[1].to_f, bearer: ENV["ROTA_TOKEN"])
last = {}
$stdin.each_line do |line|
  what, name, value = line.split
  begin
    last[value] = client.token(**{ name.to_sym => value }, refused: what == "refused" ? last[value] : nil)
    puts "token #{last[value]}"
  rescue Rota::MemberGone => e
    puts "gone #{e.code}"
  rescue Rota::Error => e
    puts "error #{e.code} #{e.retry_after || 0}"
  end
end
