#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/certificate.h"
#include "tests/support/tls_server.h"
#include "tests/unit/auth/transport_fixture.h"

namespace rota {
namespace {

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
