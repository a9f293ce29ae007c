#include "settings/secret_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace rota {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Files : public testing::Test {
 protected:
  Files() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rota-files-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    dir_ = pattern;
  }
  ~Files() override {
    ::unsetenv("CREDENTIALS_DIRECTORY");
    std::filesystem::remove_all(dir_);
  }

  std::string path(std::string_view name) const { return fmt::format("{}/{}", dir_, name); }
  std::string write(std::string_view name, std::string_view text, mode_t mode = 0600) {
    const std::string file = path(name);
    std::ofstream(file, std::ios::binary) << text;
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
    return file;
  }

  std::string dir_;
};

void expect_config_error(const Error& error, const std::string& start, std::string_view why) {
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, StartsWith(start));
  EXPECT_THAT(error.message, HasSubstr(why));
}

TEST_F(Files, SmallFilesAreReadWholeUpToTheLimit) {
  const std::string bytes = "a\0b\r\n\xff"s;
  EXPECT_EQ(read_small_file(write("f", bytes), 6), bytes);
  EXPECT_EQ(read_small_file(write("empty", ""), 0), "");
  EXPECT_EQ(read_small_file(write("big", std::string(300'000, 'x')), 300'000),
            std::string(300'000, 'x'));
  const std::string file = write("f", bytes);
  expect_config_error(read_small_file(file, 5).error(), file + ": ", "larger than 5 bytes");
}

TEST_F(Files, OnlyRegularFilesAreRead) {
  expect_config_error(read_small_file(path("none"), 9).error(), path("none") + ": ",
                      "No such file");
  expect_config_error(read_small_file(dir_, 9).error(), dir_ + ": ", "not a regular file");
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  expect_config_error(read_small_file(path("fifo"), 9).error(), path("fifo"), "not a regular file");
  std::filesystem::create_symlink("none", path("dangling"));
  expect_config_error(read_small_file(path("dangling"), 9).error(), path("dangling"), "No such");
}

TEST_F(Files, SecretsLoseOneNewline) {
  struct Row {
    std::string_view text;
    std::string_view secret;
  };
  for (const Row& row : {Row{"token", "token"}, Row{"token\n", "token"}, Row{"token\r\n", "token"},
                         Row{"!~", "!~"}}) {
    const auto secret = read_secret_file(write("secret", row.text));
    ASSERT_TRUE(secret) << secret.error().message;
    EXPECT_EQ(secret->reveal(), row.secret);
  }
  const auto largest = read_secret_file(write("secret", std::string(kSecretBytesMax, 's')));
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->size(), kSecretBytesMax);
}

TEST_F(Files, SecretsOfAnotherShapeAreRefusedWithoutRepeatingThem) {
  struct Row {
    std::string text;
    std::string_view why;
  };
  for (const Row& row : {
           Row{"", "is empty"},
           Row{"\n", "is empty"},
           Row{"\r\n", "is empty"},
           Row{"tok\n\n", "must be one line"},
           Row{"tok en", "must be one line"},
           Row{" tok", "must be one line"},
           Row{"tok ", "must be one line"},
           Row{"tok\ten", "must be one line"},
           Row{"tok\nen\n", "must be one line"},
           Row{"tok\0en"s, "must be one line"},
           Row{"\xef\xbb\xbftok", "must be one line"},
           Row{"tok\x7f", "must be one line"},
           Row{std::string(kSecretBytesMax + 1, 't'), "larger than 16384 bytes"},
       }) {
    const std::string file = write("secret", row.text);
    const auto secret = read_secret_file(file);
    ASSERT_FALSE(secret) << row.text.substr(0, 20);
    expect_config_error(secret.error(), file + ": ", row.why);
    EXPECT_THAT(secret.error().message, Not(HasSubstr("tok")));
  }
}

TEST_F(Files, SecretsThatOthersMayUseAreRefusedWithTheRemedy) {
  for (const mode_t bit : {0001U, 0002U, 0004U, 0010U, 0020U, 0040U}) {
    const std::string file = write("secret", "token", 0600 | bit);
    const auto secret = read_secret_file(file);
    ASSERT_FALSE(secret) << bit;
    expect_config_error(secret.error(), file + ": ", "chmod 600 " + file);
    EXPECT_THAT(secret.error().message, HasSubstr(fmt::format("mode {:04o}", 0600 | bit)));
  }
  for (const mode_t mode : {0400U, 0600U, 0700U}) {
    EXPECT_TRUE(read_secret_file(write("secret", "token", mode))) << mode;
  }
  expect_config_error(read_secret_file(path("none")).error(), path("none"), "No such file");
}

TEST_F(Files, CredentialsComeFromTheirDirectory) {
  ::setenv("CREDENTIALS_DIRECTORY", dir_.c_str(), 1);
  write("app-token", "token\n", 0440);  // systemd sets the mode; it is not judged
  const auto secret = read_credential("app-token", "app_token");
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->reveal(), "token");

  const auto missing = read_credential("other", "app_token");
  ASSERT_FALSE(missing);
  expect_config_error(missing.error(), "app_token_credential: " + path("other"), "No such file");
  EXPECT_THAT(missing.error().message, HasSubstr("app_token_file"));

  const std::string empty = write("empty", "");
  expect_config_error(read_credential("empty", "app_token").error(), empty, "is empty");
}

TEST_F(Files, WithoutACredentialsDirectoryTheAlternativeIsNamed) {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  for (int i = 0; i < 2; ++i) {
    const auto secret = read_credential("store-key", "key");
    ASSERT_FALSE(secret);
    expect_config_error(secret.error(), "key_credential: $CREDENTIALS_DIRECTORY is not set",
                        "\"store-key\"");
    EXPECT_THAT(secret.error().message, HasSubstr("key_file"));
    ::setenv("CREDENTIALS_DIRECTORY", "", 1);  // as good as not set
  }
}

TEST_F(Files, ASourceLeadsToItsFileOrCredential) {
  ::setenv("CREDENTIALS_DIRECTORY", dir_.c_str(), 1);
  write("cred", "from-credential");
  const std::string file = write("file", "from-file");
  EXPECT_EQ(read_secret({.credential = "cred", .file = {}}, "key")->reveal(), "from-credential");
  EXPECT_EQ(read_secret({.credential = {}, .file = file}, "key")->reveal(), "from-file");
}

TEST_F(Files, ARosterMayBeOneFile) {
  const std::string file = write("people", "x");
  const auto files = read_roster(file);
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ((*files)[0].name, file);
  EXPECT_EQ((*files)[0].text, "x");
  expect_config_error(read_roster(path("none")).error(), path("none") + ": ", "No such file");
}

TEST_F(Files, ARosterDirectoryIsReadInNameOrder) {
  for (const std::string_view name : {"b.toml", "a.toml", "10.toml", "9.toml", ".hidden.toml",
                                      ".toml", "c.toml~", "d.txt", "toml"}) {
    write(name, name);
  }
  std::filesystem::create_symlink("d.txt", path("z.toml"));
  const auto files = read_roster(dir_);
  ASSERT_TRUE(files) << files.error().message;
  std::vector<std::string> names;
  for (const RosterFile& file : *files) names.push_back(file.name);
  EXPECT_THAT(names, testing::ElementsAre(path("10.toml"), path("9.toml"), path("a.toml"),
                                          path("b.toml"), path("z.toml")));
  EXPECT_EQ((*files)[2].text, "a.toml");
  EXPECT_EQ((*files)[4].text, "d.txt");
}

TEST_F(Files, ARosterDirectoryThatCannotBeReadWholeIsRefused) {
  expect_config_error(read_roster(dir_).error(), dir_ + ": ", "no *.toml");
  write("a.toml", "x");
  std::filesystem::create_directory(path("b.toml"));
  expect_config_error(read_roster(dir_).error(), path("b.toml"), "not a regular file");
  std::filesystem::remove(path("b.toml"));
  std::filesystem::create_symlink("gone", path("b.toml"));
  expect_config_error(read_roster(dir_).error(), path("b.toml"), "No such file");
}

TEST_F(Files, TheFilesOfARosterShareOneLimit) {
  // Sparse files: they have a size and take no room.
  write("a.toml", "x");
  const std::string big = write("b.toml", "");
  std::filesystem::resize_file(big, kRosterBytesMax);
  expect_config_error(read_roster(dir_).error(), big + ": ",
                      fmt::format("larger than {} bytes", kRosterBytesMax - 1));
}

TEST_F(Files, ARostersStampTellsOfWhateverBecomesOfItsFiles) {
  write("a.toml", "a");
  write("other.txt", "");
  RosterStamp last = stamp_roster(dir_);
  EXPECT_EQ(stamp_roster(dir_), last);
  const auto differs = [&](const char* after) {
    const RosterStamp now = stamp_roster(dir_);
    EXPECT_NE(now, last) << after;
    last = now;
  };
  write("a.toml", "longer");
  differs("writing");
  write("b.toml", "b");
  differs("a file more");
  std::filesystem::copy_file(path("a.toml"), path("new"));
  std::filesystem::rename(path("new"), path("a.toml"));
  differs("another inode of the same text");
  std::filesystem::remove(path("b.toml"));
  differs("a file less");
  write("other.txt", "more");
  EXPECT_EQ(stamp_roster(dir_), last) << "not of the roster";
  std::filesystem::remove_all(dir_);
  differs("the folder gone");
}

TEST_F(Files, SettingsAreLoadedByPath) {
  const auto loaded = load_settings(write("rotad.toml", "[log]\nlevel = 'warn'\n"));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->log_level, LogLevel::kWarn);
  expect_config_error(load_settings(path("none")).error(), path("none") + ": ", "No such file");
  const std::string bad = write("bad.toml", "\n[log]\nlevl = 'warn'\n");
  expect_config_error(load_settings(bad).error(), bad + ":3:1: [log]: \"levl\"", "did you mean");
}

// A secret that was put where its path, or its name, belongs.
TEST_F(Files, P10ASecretInPlaceOfItsPlaceIsNotRepeated) {
  const std::string secret = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0";
  ::setenv("CREDENTIALS_DIRECTORY", dir_.c_str(), 1);
  for (const SecretSource& source : {SecretSource{.credential = {}, .file = secret},
                                     SecretSource{.credential = {}, .file = "/" + secret},
                                     SecretSource{.credential = {}, .file = secret + "/a/b"},
                                     SecretSource{.credential = secret, .file = {}}}) {
    const auto read = read_secret(source, "app_token");
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, Not(HasSubstr("eyJ")));
    EXPECT_THAT(read.error().message, HasSubstr("app_token_"));
  }
  // What is a path is named.
  const auto missing = read_secret({.credential = {}, .file = path("missing")}, "app_token");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, StartsWith(path("missing")));
  const auto credential = read_secret({.credential = "store-key", .file = {}}, "key");
  ASSERT_FALSE(credential);
  EXPECT_THAT(credential.error().message, HasSubstr(path("store-key")));
}

}  // namespace
}  // namespace rota
