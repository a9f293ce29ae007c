// What the test asks on standard input, the client in docs/clients/Rota.java answers. See clients_test.cc.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

public final class Drive {
  public static void main(String[] arguments) throws Exception {
    long patience = (long) (1000 * Double.parseDouble(arguments[1]));
    String bearer = System.getenv("ROTA_TOKEN");
    String[] port = arguments[0].split(":");
    SocketAddress address = port.length == 2
        ? new InetSocketAddress(port[0], Integer.parseInt(port[1]))
        : UnixDomainSocketAddress.of(arguments[0]);
    Duration limit = Duration.ofMillis(patience);
    Rota client = bearer == null && port.length == 1
        ? new Rota(Path.of(arguments[0]), limit)
        : new Rota(address, limit, bearer);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    Map<String, String> last = new HashMap<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split(" ");
      try {
        String token = words[0].equals("refused")
            ? client.tokenAfterRefusal(words[1], words[2], last.get(words[2]))
            : client.token(words[1], words[2]);
        last.put(words[2], token);
        System.out.println("token " + token);
      } catch (Rota.MemberGone gone) {
        System.out.println("gone " + gone.code);
      } catch (Rota.RotaException error) {
        long seconds = error.retryAfter == null ? 0 : error.retryAfter.toSeconds();
        System.out.println("error " + error.code + " " + seconds);
      }
    }
  }
}
