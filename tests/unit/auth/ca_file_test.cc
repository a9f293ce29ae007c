#include "auth/ca_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "auth/options.h"
#include "tests/support/certificate.h"
#include "tests/support/temp_directory.h"

namespace rota {
namespace {

using ::testing::HasSubstr;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string problem(const std::string& path) {
  const auto read = read_ca_file(path);
  EXPECT_FALSE(read.has_value());
  if (read) return {};
  EXPECT_EQ(read.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(read.error().message, HasSubstr("ca_file"));
  // The start of the daemon and the check of its settings come this way, too.
  HeadlessAuthOptions options;
  options.ca_file = path;
  const auto checked = check_options(options);
  EXPECT_FALSE(checked.has_value());
  if (!checked) EXPECT_EQ(checked.error().message, read.error().message);
  return read.error().message;
}

TEST(CaFile, SaysWhatIsWrongWithIt) {
  const Certificate certificate("IP:127.0.0.1");
  ASSERT_TRUE(certificate.made());
  const testing::TempDirectory folder;
  const auto file = [&](const std::string& name, const std::string& text) {
    const std::string path = (folder.path() / name).string();
    std::ofstream(path) << text;
    return path;
  };
  const std::string pem = text_of(certificate.certificate());
  EXPECT_THAT(problem(folder.path() / "missing"), HasSubstr("No such file"));
  EXPECT_THAT(problem(file("empty", "")), HasSubstr("is empty"));
  EXPECT_THAT(problem(file("text", "These are no certificates.\n")), HasSubstr("no certificate"));
  EXPECT_THAT(problem(certificate.key()), HasSubstr("no certificate"));
  EXPECT_THAT(problem(file("cut", pem.substr(0, pem.size() / 2))), HasSubstr("cannot be parsed"));
  std::string damaged = pem;
  damaged.replace(damaged.find('\n') + 10, 4, "!!!!");
  EXPECT_THAT(problem(file("damaged", pem + damaged)), HasSubstr("certificate 2"));
  EXPECT_THAT(problem(folder.path()), HasSubstr("not a regular file"));
  const std::string fifo = (folder.path() / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(problem(fifo), HasSubstr("not a regular file"));
  // Perhaps a secret that was put here by mistake.
  EXPECT_EQ(problem("app-token-by-mistake"), "ca_file must be an absolute path");
}

TEST(CaFile, AReplacedFileHasAnotherStamp) {
  const Certificate one("IP:127.0.0.1");
  const Certificate other("IP:127.0.0.1");
  ASSERT_TRUE(one.made() && other.made());
  const testing::TempDirectory folder;
  const std::string path = (folder.path() / "ca.pem").string();
  std::filesystem::copy(one.certificate(), path);
  const auto before = read_ca_file(path);
  ASSERT_TRUE(before.has_value()) << before.error().message;
  EXPECT_EQ((*before)->pem, text_of(one.certificate()));
  EXPECT_EQ(stamp_of_ca_file(path).value(), (*before)->stamp);
  std::filesystem::copy(other.certificate(), path + ".new");
  std::filesystem::rename(path + ".new", path);
  EXPECT_NE(stamp_of_ca_file(path).value(), (*before)->stamp);
}

}  // namespace
}  // namespace rota
