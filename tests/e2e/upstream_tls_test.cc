#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "e2e/box.h"
#include "support/certificate.h"

// The way to Circle as TLS sees it: which certificates are trusted, and who learns the keys.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

// The openssl command as a TLS server on a free port. It speaks no HTTP.
class TlsServer {
 public:
  TlsServer(const Certificate& certificate, const std::filesystem::path& folder)
      : process_({"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert",
                  certificate.certificate(), "-key", certificate.key()},
                 folder / "s_server.log") {
    EXPECT_TRUE(eventually([&] { return process_.output().find("ACCEPT ") != std::string::npos; }));
  }
  std::string url() const {
    const std::string output = process_.output();
    const std::size_t at = output.find("ACCEPT ");
    const std::size_t end = output.find('\n', at);
    return "https://" + output.substr(at + 7, end - at - 7);
  }

 private:
  Process process_;
};

// P10: libcurl's OpenSSL writes the keys of all TLS sessions into the file that this names, and
// whoever has them reads every token off the wire.
TEST(UpstreamTls, P10SslKeyLogFileIsNeverHonoured) {
  Box box;
  const Certificate certificate("IP:127.0.0.1");
  ASSERT_TRUE(certificate.made());
  const TlsServer server(certificate, box.folder.path());
  const auto curls = box.folder.path() / "curl.keys";
  run({"curl", "--silent", "--max-time", "20", "--cacert", certificate.certificate(), server.url()},
      box.folder.path(), {{"SSLKEYLOGFILE", curls.string()}});
  ASSERT_THAT(testing::read_bytes(curls), HasSubstr("SECRET")) << "this test could not fail";

  box.daemon.base_url = server.url();
  box.daemon.upstream["ca_file"] = '"' + certificate.certificate() + '"';
  box.daemon.write_config();
  const auto ours = box.daemon.folder() / "rotad.keys";
  box.daemon.launch({}, fmt::format("SSLKEYLOGFILE={}", ours.string()));
  // The handshake passed when the reply is found to be no HTTP.
  ASSERT_TRUE(eventually([&] {
    return box.daemon.process().output().find("HTTP/0.9") != std::string::npos ||
           box.daemon.process().output().find("Unsupported protocol") != std::string::npos;
  }));
  EXPECT_FALSE(std::filesystem::exists(ours));
}

TEST(UpstreamTls, ACaFileThatCannotBeUsedIsNamedByTheCheckTheStartAndDoctor) {
  struct Case {
    const char* name;
    const char* text;  // null: no such file
    const char* problem;
  };
  for (const Case& c : {Case{"missing.pem", nullptr, "No such file or directory"},
                        Case{"empty.pem", "", "it is empty"},
                        Case{"text.pem", "no certificate", "it has no certificate in PEM form"}}) {
    Box box;
    const auto path = box.folder.path() / c.name;
    if (c.text != nullptr) std::ofstream(path) << c.text;
    box.daemon.upstream["ca_file"] = '"' + path.string() + '"';
    box.daemon.write_config();
    const std::string named = fmt::format("ca_file {}: {}", path.string(), c.problem);

    const Finished check =
        box.daemon.daemon_command({"--check", "--config", box.daemon.config_path()});
    EXPECT_EQ(check.code, 78) << c.name;
    EXPECT_THAT(check.output, HasSubstr(named));

    box.daemon.launch();
    EXPECT_EQ(box.daemon.process().wait(), 78) << c.name;
    EXPECT_THAT(box.daemon.process().output(), HasSubstr(named));

    const Finished doctor = box.daemon.cli({"doctor", "--config", box.daemon.config_path()});
    EXPECT_NE(doctor.code, 0);
    EXPECT_THAT(doctor.output, HasSubstr(named));
  }
}

// Whoever can write the file chooses whom rotad takes for Circle.
TEST(UpstreamTls, P10ACaFileThatOthersCanWriteIsRefused) {
  using std::filesystem::perms;
  const Certificate certificate("IP:127.0.0.1");
  ASSERT_TRUE(certificate.made());
  Box box;
  const auto folder = box.folder.path() / "ca";
  const auto path = folder / "ca.pem";
  std::filesystem::create_directory(folder);
  std::filesystem::copy(certificate.certificate(), path);
  box.daemon.upstream["ca_file"] = '"' + path.string() + '"';
  ASSERT_TRUE(box.daemon.start());
  const auto check = [&] {
    return box.daemon.daemon_command({"--check", "--config", box.daemon.config_path()});
  };
  EXPECT_EQ(check().code, 0);
  for (const auto& [place, good] : {std::pair{path, perms{0644}}, std::pair{folder, perms{0755}}}) {
    std::filesystem::permissions(place, perms{0777});
    const Finished bad = check();
    EXPECT_EQ(bad.code, 78);
    EXPECT_THAT(bad.output, HasSubstr("ca_file " + path.string() + ": "));
    EXPECT_THAT(bad.output, HasSubstr("has the mode 0777"));
    const Finished reload = box.daemon.cli({"reload"});
    EXPECT_EQ(reload.code, 1);
    EXPECT_THAT(reload.output, HasSubstr("ca_file"));
    EXPECT_THAT(box.daemon.cli({"doctor", "--config", box.daemon.config_path()}).output,
                HasSubstr("has the mode 0777"));
    std::filesystem::permissions(place, good);
    EXPECT_EQ(box.daemon.cli({"reload"}).code, 0);
  }
  EXPECT_EQ(box.daemon.stop(), 0);
  std::filesystem::permissions(path, perms{0666});
  box.daemon.launch();
  EXPECT_EQ(box.daemon.process().wait(), 78);
}

// What was read last stays in force, and the reload says so.
TEST(UpstreamTls, AReloadNamesACaFileThatBroke) {
  Box box;
  const Certificate certificate("IP:127.0.0.1");
  ASSERT_TRUE(certificate.made());
  const auto path = box.folder.path() / "ca.pem";
  std::filesystem::copy(certificate.certificate(), path);
  box.daemon.upstream["ca_file"] = '"' + path.string() + '"';
  box.daemon.write_config();
  ASSERT_TRUE(box.daemon.start());
  std::ofstream(path) << "";
  box.daemon.cli({"reload"});
  EXPECT_TRUE(eventually([&] {
    return box.daemon.process().output().find("ca.pem: it is empty") != std::string::npos;
  }));
}

}  // namespace
}  // namespace rota::e2e
