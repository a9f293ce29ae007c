#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "tests/support/certificate.h"
#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

// The openssl command as a TLS server. It speaks no HTTP (it
// returns each line reversed), which is enough to tell a refused handshake from a call that was
// sent.
class TlsServer {
 public:
  // `version` as an option of openssl s_server.
  TlsServer(const Certificate& certificate, const std::string& version) {
    if (!certificate.made()) return;
    std::array<int, 2> output{};
    ROTA_CHECK(pipe(output.data()) == 0);
    child_ = fork();
    if (child_ == 0) {
      dup2(output[1], STDOUT_FILENO);
      dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
      execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", version.c_str(),
             "-cert", certificate.certificate().c_str(), "-key", certificate.key().c_str(),
             nullptr);
      _exit(127);
    }
    ::close(output[1]);
    port_ = read_port(output[0]);
    ::close(output[0]);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }

  bool runs() const { return port_ != 0; }
  std::string url() const { return fmt::format("https://127.0.0.1:{}", port_); }

 private:
  // It says "ACCEPT 127.0.0.1:PORT" once it listens.
  static int read_port(int output) {
    std::string text;
    char c = 0;
    while (read(output, &c, 1) == 1) {
      if (c != '\n') {
        text.push_back(c);
        continue;
      }
      int port = 0;
      const std::size_t colon = text.rfind(':');
      if (text.starts_with("ACCEPT") && colon != std::string::npos) {
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
        return port;
      }
      text.clear();
    }
    return 0;
  }

  pid_t child_ = -1;
  int port_ = 0;
};

TransientReason reason_of(const TlsServer& server, const std::string& ca_file, std::string& why) {
  HeadlessAuthOptions options = options_for(server.url());
  options.ca_file = ca_file;
  const auto result = send_once(options);
  EXPECT_FALSE(result.has_value());
  why = result.error().why;
  return result.error().reason;
}

#define ROTA_NEEDS_OPENSSL(server) \
  if (!(server).runs()) GTEST_FAIL() << "no openssl command: scripts/packages test installs it"

TEST(TransportTls, ASelfSignedServerIsRefusedBeforeAnythingIsSent) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate, "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, "", why), TransientReason::kNotSent);
  EXPECT_THAT(why, testing::HasSubstr("certificate"));
}

TEST(TransportTls, ACaFileMakesItTrusted) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate, "-tls1_3");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  reason_of(server, certificate.certificate(), why);
  // The handshake passes, and what comes back is no HTTP: perhaps before the body was asked for.
  EXPECT_THAT(why, testing::AnyOf(testing::HasSubstr("HTTP/0.9"),
                                  testing::HasSubstr("Unsupported protocol")));
}

TEST(TransportTls, ACaFileIsTrustedAlone) {
  const Certificate certificate("IP:127.0.0.1");
  const Certificate other("IP:127.0.0.1");
  const TlsServer server(certificate, "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, other.certificate(), why), TransientReason::kNotSent);
}

TEST(TransportTls, AnotherHostsCertificateIsRefused) {
  const Certificate certificate("DNS:app.example.com,IP:127.0.0.2");
  const TlsServer server(certificate, "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, certificate.certificate(), why), TransientReason::kNotSent) << why;
}

TEST(TransportTls, AnExpiredCertificateIsRefused) {
  const Certificate certificate("IP:127.0.0.1", "/CN=rota-test", Certificate::Life::kOver);
  const TlsServer server(certificate, "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, certificate.certificate(), why), TransientReason::kNotSent);
  EXPECT_THAT(why, testing::HasSubstr("expired"));
}

// Without other names libcurl compares the subject's, and quotes it when it is another.
TEST(TransportTls, ACertificatesNameForgesNoLogLine) {
  const Certificate certificate("", "/CN=evil\nrotad: all members revoked\x1b[2J");
  const TlsServer server(certificate, "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, certificate.certificate(), why), TransientReason::kNotSent);
  EXPECT_THAT(why, testing::HasSubstr("evil?rotad: all members revoked?"));
  for (const char c : why) EXPECT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
}

TEST(TransportTls, VersionsBefore12AreRefused) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate, "-tls1_1");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, certificate.certificate(), why), TransientReason::kNotSent) << why;
}

}  // namespace
}  // namespace rota
