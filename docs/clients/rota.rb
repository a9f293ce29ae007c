# A client of Rota's token socket. Ruby 3.0 or later, standard library only.
#
#   rota = Rota.new
#   token = rota.token(email: "grace@example.com")
#   # Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
#   token = rota.token(email: "grace@example.com", refused: token)
#
# On a listener, with the token that `rota client add` printed:
#
#   rota = Rota.new(path: "127.0.0.1:8465", bearer: ENV["ROTA_TOKEN"])
#
# One object serves all threads of a program.

require "digest"
require "json"
require "net/http"
require "socket"
require "uri"

class Rota
  LIFE_SECONDS_MIN = 60 # a token with less life left is fetched again
  KEPT_TOKENS_MAX = 10_000
  CONNECT_AGAIN_SECONDS = 0.05
  REPLY_SECONDS_EXTRA = 5 # on top of what Rota may wait, so that Rota's answer comes first

  # Rota gave no token. `code` says why; `retry_after` says in how many seconds to ask again.
  class Error < StandardError
    attr_reader :status, :code, :retry_after

    def initialize(status, code, message, retry_after = nil)
      super("#{status} #{code}: #{message}")
      @status, @code, @retry_after = status, code, retry_after
    end
  end

  # The member left, or an operator blocked it: stop acting for this member.
  class MemberGone < Error; end

  # Net::HTTP over a Unix socket, if it has a path.
  class UnixHTTP < Net::HTTP
    attr_writer :path

    private

    def connect
      return super unless @path

      @socket = Net::BufferedIO.new(UNIXSocket.new(@path), read_timeout: read_timeout,
                                                          write_timeout: write_timeout)
    end
  end

  # `path`: of a socket, or ADDRESS:PORT of a listener. `patience`: for how many seconds one call may
  # wait and try again. `bearer`: for a listener.
  def initialize(path: "/run/rota/token.sock", patience: 10, bearer: nil)
    @path, @patience = path, patience
    @headers = bearer ? { "Authorization" => "Bearer #{bearer}" } : {}
    @kept = {} # query => [token, until when it may be used]
    @lock = Mutex.new
  end

  # An access token of the member, which is one of email:, community_member_id:, sso_user_id:.
  # `refused`: the token to which Circle answered 401. Raises MemberGone or Error.
  def token(refused: nil, **member)
    query = URI.encode_www_form(member)
    kept = find(query, refused)
    return kept if kept

    also = refused ? "&refused=#{Digest::SHA256.hexdigest(refused)[0, 16]}" : ""
    deadline = now + @patience
    loop do
      asked_at = now
      begin
        reply, body = get(query + also, [0, deadline - asked_at].max)
        if reply.code == "200"
          life = reply["Rota-Expires-In"].to_i
          keep(query, body["access_token"], asked_at + [life - LIFE_SECONDS_MIN, life / 2.0].max)
          return body["access_token"]
        end
        pause = reply["Retry-After"].to_i
        kind = reply.code == "410" ? MemberGone : Error
        failure = kind.new(reply.code.to_i, body["code"], body["message"], pause.nonzero?)
        raise failure unless reply.code == "503"
      rescue Errno::ENOENT, Errno::EACCES => e
        raise Error.new(0, "unreachable", e.message)
      rescue SystemCallError, IOError, Timeout::Error, Net::ProtocolError, JSON::ParserError => e
        # The queue of new connections is full, or the daemon has just been restarted.
        failure, pause = Error.new(0, "unreachable", e.message), CONNECT_AGAIN_SECONDS
      end
      raise failure if pause.zero? || now + pause > deadline

      sleep pause
    end
  end

  private

  def get(query, wait)
    host, port = @path.start_with?("/") ? ["localhost"] : @path.split(":")
    http = UnixHTTP.new(host, port, nil)
    http.path = @path if port.nil?
    http.max_retries = 0
    http.open_timeout = http.read_timeout = http.write_timeout = wait + REPLY_SECONDS_EXTRA
    reply = http.start { http.get("/v1/token?#{query}&wait=#{wait.floor}", @headers) }
    [reply, JSON.parse(reply.body)]
  end

  def find(query, refused)
    @lock.synchronize do
      token, till = @kept[query]
      return token if token && token != refused && now < till

      @kept.delete(query)
      nil
    end
  end

  def keep(query, token, till)
    @lock.synchronize do
      @kept.clear if @kept.size >= KEPT_TOKENS_MAX # a fetch takes microseconds
      @kept[query] = [token, till]
    end
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
