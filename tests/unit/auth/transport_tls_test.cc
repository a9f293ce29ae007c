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
#include <filesystem>
#include <fstream>

#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

namespace fs = std::filesystem;

// The openssl command as a TLS server with a certificate of its own making. It speaks no HTTP (it
// returns each line reversed), which is enough to tell a refused handshake from a call that was
// sent.
class TlsServer {
 public:
  enum class Certificate { kValid, kExpired };
  // `names` as in a certificate's subjectAltName; `version` as an option of openssl s_server.
  TlsServer(const std::string& names, const std::string& version,
            Certificate which = Certificate::kValid) {
    std::string pattern = (fs::temp_directory_path() / "rota-tls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    const std::string make = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=rota-test -addext subjectAltName={} -keyout {}/key.pem -out {} 2>/dev/null",
        names, folder_, certificate());
    if (std::system(make.c_str()) != 0) return;
    if (which == Certificate::kExpired && !expire()) return;
    std::array<int, 2> output{};
    ROTA_CHECK(pipe(output.data()) == 0);
    child_ = fork();
    if (child_ == 0) {
      dup2(output[1], STDOUT_FILENO);
      dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
      const std::string key = folder_ + "/key.pem";
      execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", version.c_str(),
             "-cert", certificate().c_str(), "-key", key.c_str(), nullptr);
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
    fs::remove_all(folder_);
  }

  bool runs() const { return port_ != 0; }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string url() const { return fmt::format("https://127.0.0.1:{}", port_); }

 private:
  // Signed once more by its own key, for a day of 2024.
  bool expire() const {
    std::ofstream(folder_ + "/ca.conf")
        << "[ca]\ndefault_ca = x\n[x]\nrand_serial = yes\ndefault_md = sha256\npolicy = p\n"
        << "copy_extensions = copy\ndatabase = " << folder_ << "/index\nnew_certs_dir = " << folder_
        << "\n[p]\ncommonName = supplied\n";
    std::ofstream(folder_ + "/index").flush();
    const std::string make = fmt::format(
        "cd {} && openssl x509 -x509toreq -copy_extensions copy -in cert.pem -signkey key.pem "
        "-out request.pem 2>/dev/null && openssl ca -batch -selfsign -config ca.conf -keyfile "
        "key.pem -in request.pem -startdate 20240101000000Z -enddate 20240102000000Z -notext -out "
        "cert.pem 2>/dev/null",
        folder_);
    return std::system(make.c_str()) == 0;
  }
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

  std::string folder_;
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
  const TlsServer server("IP:127.0.0.1", "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, "", why), TransientReason::kNotSent);
  EXPECT_THAT(why, testing::HasSubstr("certificate"));
}

TEST(TransportTls, ACaFileMakesItTrusted) {
  const TlsServer server("IP:127.0.0.1", "-tls1_3");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  reason_of(server, server.certificate(), why);
  // The handshake passes, and what comes back is no HTTP: perhaps before the body was asked for.
  EXPECT_THAT(why, testing::AnyOf(testing::HasSubstr("HTTP/0.9"),
                                  testing::HasSubstr("Unsupported protocol")));
}

TEST(TransportTls, ACaFileIsTrustedAlone) {
  const TlsServer server("IP:127.0.0.1", "-tls1_2");
  const TlsServer other("IP:127.0.0.1", "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, other.certificate(), why), TransientReason::kNotSent);
}

TEST(TransportTls, AnotherHostsCertificateIsRefused) {
  const TlsServer server("DNS:app.example.com,IP:127.0.0.2", "-tls1_2");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, server.certificate(), why), TransientReason::kNotSent) << why;
}

TEST(TransportTls, AnExpiredCertificateIsRefused) {
  const TlsServer server("IP:127.0.0.1", "-tls1_2", TlsServer::Certificate::kExpired);
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, server.certificate(), why), TransientReason::kNotSent);
  EXPECT_THAT(why, testing::HasSubstr("expired"));
}

TEST(TransportTls, VersionsBefore12AreRefused) {
  const TlsServer server("IP:127.0.0.1", "-tls1_1");
  ROTA_NEEDS_OPENSSL(server);
  std::string why;
  EXPECT_EQ(reason_of(server, server.certificate(), why), TransientReason::kNotSent) << why;
}

}  // namespace
}  // namespace rota
