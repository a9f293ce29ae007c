import static java.net.StandardProtocolFamily.UNIX;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A client of Rota's token socket. Java 17 or later, no libraries.
 *
 * <pre>
 *   Rota rota = new Rota(Path.of("/run/rota/token.sock"), Duration.ofSeconds(10));
 *   String token = rota.token("email", "grace@example.com");
 *   // Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
 *   token = rota.tokenAfterRefusal("email", "grace@example.com", token);
 * </pre>
 *
 * On a listener, with the token that {@code rota client add} printed:
 *
 * <pre>
 *   var port = new InetSocketAddress("127.0.0.1", 8465);
 *   Rota rota = new Rota(port, Duration.ofSeconds(10), System.getenv("ROTA_TOKEN"));
 * </pre>
 *
 * One object serves all threads of a program.
 */
public final class Rota {
  private static final Duration LIFE_MIN = Duration.ofSeconds(60); // with less left: fetched again
  private static final int KEPT_TOKENS_MAX = 10_000;
  private static final Duration CONNECT_AGAIN = Duration.ofMillis(50);
  // On top of what Rota may wait, so that Rota's answer comes first.
  private static final Duration REPLY_EXTRA = Duration.ofSeconds(5);
  private static final int REPLY_BYTES_MAX = 64 * 1024;

  /** Rota gave no token. {@code code} says why, {@code retryAfter} when to ask again, or is null. */
  public static class RotaException extends IOException {
    public final int status; // 0: Rota could not be reached
    public final String code;
    public final Duration retryAfter;

    RotaException(int status, String code, String message, Duration retryAfter) {
      super(status + " " + code + ": " + message);
      this.status = status;
      this.code = code;
      this.retryAfter = retryAfter;
    }
  }

  /** The member left, or an operator blocked it: stop acting for this member. */
  public static final class MemberGone extends RotaException {
    MemberGone(int status, String code, String message) {
      super(status, code, message, null);
    }
  }

  private record Kept(String token, long until) {}

  private record Reply(int status, String head, String body) {
    long seconds(String header) {
      String found = first("(?im)^" + header + ": *([0-9]+)", head);
      return found == null ? 0 : Long.parseLong(found);
    }

    /** A text of the body. Neither tokens nor codes have a character that JSON escapes. */
    String text(String field) {
      return first("\"" + field + "\":\"([^\"]*)\"", body);
    }

    private static String first(String pattern, String text) {
      Matcher matcher = Pattern.compile(pattern).matcher(text);
      return matcher.find() ? matcher.group(1) : null;
    }
  }

  private final SocketAddress address;
  private final Duration patience;
  private final String bearer; // null: none
  private final Map<String, Kept> kept = new HashMap<>(); // by query; guarded by itself

  /** {@code patience}: for how long one call may wait and try again. */
  public Rota(Path path, Duration patience) {
    this(UnixDomainSocketAddress.of(path), patience, null);
  }

  /** {@code address}: of a listener, a {@link UnixDomainSocketAddress} or a loopback port. */
  public Rota(SocketAddress address, Duration patience, String bearer) {
    this.address = address;
    this.patience = patience;
    this.bearer = bearer;
  }

  /** An access token of a member; {@code name} is email, community_member_id or sso_user_id. */
  public String token(String name, String value) throws IOException, InterruptedException {
    return tokenAfterRefusal(name, value, null);
  }

  /** Another token than {@code refused}, to which Circle answered 401. */
  public String tokenAfterRefusal(String name, String value, String refused)
      throws IOException, InterruptedException {
    String query = name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    synchronized (kept) {
      Kept found = kept.get(query);
      if (found != null && !found.token.equals(refused) && System.nanoTime() - found.until < 0) {
        return found.token;
      }
      kept.remove(query);
    }
    String also = refused == null ? "" : "&refused=" + fingerprint(refused);
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      long askedAt = System.nanoTime();
      RotaException failure;
      Duration pause = CONNECT_AGAIN;
      try {
        Reply reply = get(query + also, Duration.ofNanos(Math.max(0, deadline - askedAt)));
        if (reply.status == 200) {
          Duration life = Duration.ofSeconds(reply.seconds("Rota-Expires-In"));
          Duration half = life.dividedBy(2);
          Duration usable = life.minus(LIFE_MIN).compareTo(half) > 0 ? life.minus(LIFE_MIN) : half;
          keep(query, new Kept(reply.text("access_token"), askedAt + usable.toNanos()));
          return reply.text("access_token");
        }
        if (reply.status == 410) {
          throw new MemberGone(reply.status, reply.text("code"), reply.text("message"));
        }
        long seconds = reply.seconds("Retry-After");
        pause = seconds == 0 ? null : Duration.ofSeconds(seconds);
        failure = new RotaException(reply.status, reply.text("code"), reply.text("message"), pause);
        if (reply.status != 503 || pause == null) throw failure;
      } catch (RotaException error) {
        throw error;
      } catch (NoSuchFileException | AccessDeniedException error) {
        throw new RotaException(0, "unreachable", error.toString(), null);
      } catch (IOException error) {
        // The queue of new connections is full, or the daemon has just been restarted.
        failure = new RotaException(0, "unreachable", error.toString(), null);
      }
      if (System.nanoTime() + pause.toNanos() - deadline > 0) throw failure;
      Thread.sleep(pause.toMillis());
    }
  }

  /** One request on a connection of its own, which Rota closes after the reply. */
  private Reply get(String query, Duration wait) throws IOException {
    if (address instanceof UnixDomainSocketAddress unix) {
      Path path = unix.getPath();
      if (!Files.exists(path)) throw new NoSuchFileException(path.toString());
      if (!Files.isWritable(path)) throw new AccessDeniedException(path.toString());
    }
    long deadline = System.nanoTime() + wait.plus(REPLY_EXTRA).toNanos();
    String request = "GET /v1/token?" + query + "&wait=" + wait.toSeconds()
        + " HTTP/1.1\r\nHost: localhost\r\n"
        + (bearer == null ? "" : "Authorization: Bearer " + bearer + "\r\n")
        + "Connection: close\r\n\r\n";
    ByteArrayOutputStream received = new ByteArrayOutputStream();
    boolean unix = address instanceof UnixDomainSocketAddress;
    try (SocketChannel channel = unix ? SocketChannel.open(UNIX) : SocketChannel.open();
        Selector selector = Selector.open()) {
      if (!unix) channel.socket().connect(address, (int) wait.plus(REPLY_EXTRA).toMillis());
      channel.configureBlocking(false); // so that nothing waits for ever
      if (unix) channel.connect(address);
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
      channel.register(selector, SelectionKey.OP_READ);
      ByteBuffer part = ByteBuffer.allocate(8192);
      while (true) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0 || received.size() > REPLY_BYTES_MAX) {
          throw new SocketTimeoutException("no whole reply in time");
        }
        selector.select(left);
        selector.selectedKeys().clear();
        if (channel.read(part.clear()) < 0) break;
        received.write(part.array(), 0, part.position());
      }
    }
    String text = received.toString(StandardCharsets.UTF_8);
    int end = text.indexOf("\r\n\r\n");
    if (end < 0 || !text.endsWith("}")) throw new EOFException("no whole reply");
    int status = Integer.parseInt(text.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()));
    return new Reply(status, text.substring(0, end), text.substring(end));
  }

  private void keep(String query, Kept token) {
    synchronized (kept) {
      if (kept.size() >= KEPT_TOKENS_MAX) kept.clear(); // a fetch takes microseconds
      kept.put(query, token);
    }
  }

  private static String fingerprint(String token) {
    try {
      byte[] sum = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(sum, 0, 8);
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error); // every Java has it
    }
  }
}
