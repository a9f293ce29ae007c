#include "cli/doctor_circle.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "tests/support/certificate.h"
#include "tests/support/tls_server.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Duration kLimit{20'000};
const WallTime kNow = *parse_iso8601("2024-03-20T16:54:47.000Z");

// A port of 127.0.0.1 that takes connections, and on which nobody ever answers.
class SilentPort {
 public:
  SilentPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, generic, size), 0);
    EXPECT_EQ(::listen(socket_, 4), 0);
    EXPECT_EQ(::getsockname(socket_, generic, &size), 0);
    port_ = ::ntohs(address.sin_port);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() { close(); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  std::string url(std::string_view scheme) const {
    return fmt::format("{}://127.0.0.1:{}", scheme, port_);
  }

 private:
  int socket_;
  int port_ = 0;
};

// What doctor says of it.
Finding finding_of(const std::string& url, const std::string& ca_file, Duration limit = kLimit) {
  return judge_connecting(url, connect_to(url, ca_file, limit), kNow);
}

TEST(ConnectTo, ATrustedServerIsGoodAndItsCertificatesEndIsTold) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate);
  ASSERT_TRUE(server.runs()) << "no openssl command: scripts/packages test installs it";
  const Connecting seen = connect_to(server.url(), certificate.certificate(), kLimit);
  EXPECT_EQ(seen.failure, Symptom::Kind::kNone) << seen.why;
  ASSERT_TRUE(seen.certificate_ends);
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  EXPECT_GT(*seen.certificate_ends, now);
  EXPECT_LE(*seen.certificate_ends, now + std::chrono::days{2});
}

TEST(ConnectTo, AnUnknownAuthorityIsRefused) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate);
  ASSERT_TRUE(server.runs());
  const Finding found = finding_of(server.url(), "");
  EXPECT_EQ(found.state, FindingState::kWrong);
  EXPECT_THAT(found.text, HasSubstr("no trusted TLS connection to 127.0.0.1: SSL certificate"));
  EXPECT_THAT(found.remedy, HasSubstr("ca_file"));
}

TEST(ConnectTo, AnExpiredCertificateIsRefused) {
  const Certificate certificate("IP:127.0.0.1", "/CN=rota-test", Certificate::Life::kOver);
  const TlsServer server(certificate);
  ASSERT_TRUE(server.runs());
  const Finding found = finding_of(server.url(), certificate.certificate());
  EXPECT_EQ(found.state, FindingState::kWrong);
  EXPECT_THAT(found.text, HasSubstr("expired"));
  EXPECT_THAT(found.remedy, HasSubstr("clock"));
}

TEST(ConnectTo, AnotherHostsCertificateIsRefused) {
  const Certificate certificate("DNS:app.example.com,IP:127.0.0.2");
  const TlsServer server(certificate);
  ASSERT_TRUE(server.runs());
  const Connecting seen = connect_to(server.url(), certificate.certificate(), kLimit);
  EXPECT_EQ(seen.failure, Symptom::Kind::kTls) << seen.why;
}

TEST(ConnectTo, OldVersionsOfTlsAreRefusedAsRotadRefusesThem) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate, "-tls1_1");
  ASSERT_TRUE(server.runs());
  EXPECT_EQ(connect_to(server.url(), certificate.certificate(), kLimit).failure,
            Symptom::Kind::kTls);
}

TEST(ConnectTo, WithoutAListenerItSaysSo) {
  SilentPort port;
  port.close();
  EXPECT_EQ(connect_to(port.url("https"), "", kLimit).failure, Symptom::Kind::kRefused);
  const Finding found = finding_of(port.url("https"), "");
  EXPECT_EQ(found.state, FindingState::kWrong);
  EXPECT_THAT(found.text, HasSubstr("no connection to 127.0.0.1"));
  EXPECT_THAT(found.remedy, HasSubstr("firewall"));
}

TEST(ConnectTo, AListenerThatHangsCostsNoMoreThanTheLimit) {
  const SilentPort port;
  const Connecting seen = connect_to(port.url("https"), "", Duration{200});
  EXPECT_EQ(seen.failure, Symptom::Kind::kTimeout) << seen.why;
  EXPECT_EQ(judge_connecting(port.url("https"), seen, kNow).state, FindingState::kWrong);
}

TEST(ConnectTo, WithoutTlsNothingIsSaidOfIt) {
  SilentPort port;
  Finding found = finding_of(port.url("http"), "");
  EXPECT_EQ(found.state, FindingState::kGood);
  EXPECT_EQ(found.text, "127.0.0.1 takes connections");
  port.close();
  found = finding_of(port.url("http"), "");
  EXPECT_EQ(found.state, FindingState::kWrong);
  EXPECT_THAT(found.text + found.remedy, Not(HasSubstr("TLS")));
  EXPECT_THAT(found.remedy, HasSubstr("base_url"));
}

TEST(JudgeConnecting, ACertificateThatEndsSoonIsANote) {
  const auto left = [](Duration life) {
    return judge_connecting("https://app.circle.so", {.why = {}, .certificate_ends = kNow + life},
                            kNow);
  };
  EXPECT_EQ(left(std::chrono::days{3}).state, FindingState::kGood);
  EXPECT_EQ(left(std::chrono::days{3} - Duration{1}).state, FindingState::kNote);
  EXPECT_EQ(left(std::chrono::days{61}).text,
            "app.circle.so has a trusted certificate, until 2024-05-20T16:54:47.000Z (61 days "
            "left)");
  EXPECT_EQ(judge_connecting("https://app.circle.so", {}, kNow).state, FindingState::kGood)
      << "the end is not known";
}

TEST(LookAtCircle, NobodyConnectsToANameWithoutAnAddress) {
  UpstreamSettings upstream;
  upstream.base_url = "https://circle.invalid";  // RFC 6761: no resolver finds it
  const Findings findings = look_at_circle(upstream, kNow);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].about, "dns");
}

TEST(LookAtCircle, NobodyConnectsWithoutTheCertificatesToTrust) {
  const SilentPort port;
  UpstreamSettings upstream;
  upstream.base_url = port.url("https");
  upstream.ca_file = "/does/not/exist.pem";
  EXPECT_TRUE(look_at_circle(upstream, kNow).empty());
}

}  // namespace
}  // namespace rota::cli
