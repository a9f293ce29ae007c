// Readers in a tight loop while tokens rotate every two seconds and everybody is killed again and
// again: no half file, no wrong owner or mode for an instant, nothing of a leaver after a second.
// In the end everything is restarted, and no program runs.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "base/random.h"
#include "e2e/token_files.h"

namespace rota::e2e {
namespace {

constexpr uid_t kOwner = 62'001;
constexpr gid_t kGroup = 62'002;
constexpr std::size_t kBytesMax = 4'096;

// Opens the file again and again, and looks at what it has open.
class Reader {
 public:
  explicit Reader(std::filesystem::path path)
      : path_(std::move(path)), thread_([this] { loop(); }) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { stop(); }

  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // After stop().
  int reads() const { return reads_; }
  const std::vector<std::string>& faults() const { return faults_; }
  const std::set<std::string>& contents() const { return contents_; }

 private:
  void loop() {
    while (!stop_) look();
  }
  void look() {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;  // a leaver's
    struct stat status{};
    ::fstat(fd, &status);
    std::array<char, kBytesMax> bytes{};
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    ::close(fd);
    ++reads_;
    const std::string text(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (status.st_uid != kOwner || status.st_gid != kGroup || (status.st_mode & 07777U) != 0440U) {
      fault(fmt::format("{}:{} {:o}", status.st_uid, status.st_gid, status.st_mode & 07777U));
    }
    if (!text.starts_with("Authorization: Bearer ") || !text.ends_with("\n"))
      fault("half: " + text);
    contents_.insert(text);
  }
  void fault(std::string what) {
    constexpr std::size_t kFaultsMax = 5;
    if (faults_.size() < kFaultsMax) faults_.push_back(std::move(what));
  }

  const std::filesystem::path path_;
  std::atomic<bool> stop_ = false;
  int reads_ = 0;
  std::vector<std::string> faults_;
  std::set<std::string> contents_;
  std::thread thread_;
};

TEST(TokenFilesCampaign, NoReaderEverSeesAnythingWrong) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can give a file away";
  constexpr int kRounds = 12;
  Box box({"--access-ttl", "4s", "--refresh-ttl", "10m"});
  box.daemon.rotation["refresh_ahead"] = "\"2s\"";
  ASSERT_TRUE(box.daemon.start());
  TokenFiles files(box);
  const std::string owner = "owner = \"62001\"\ngroup = \"62002\"\nmode = \"0440\"\n";
  files.add("one", "id:1",
            fmt::format("{}format = \"header\"\nrun = [\"{}\"]", owner, files.program()));
  files.add("two", "email:member2@example.com", owner + "format = \"header\"\nkeep = true");
  files.start();
  ASSERT_TRUE(eventually([&] { return files.runs() >= 1 && !files.text("two").empty(); }))
      << files.process().output();

  Reader one(files.path("one"));
  Reader two(files.path("two"));
  Random random(17);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const std::string before = files.text("one");
    switch (random.below(3)) {
      case 0:
        files.kill9();
        files.start();
        break;
      case 1:
        box.daemon.kill9();
        ASSERT_TRUE(box.daemon.start());
        break;
      default:
        files.kill9();
        box.daemon.kill9();
        files.start();
        ASSERT_TRUE(box.daemon.start());
        break;
    }
    if (round % 4 == 3) {
      ASSERT_EQ(box.daemon.cli({"revoke", "email:member2@example.com"}).code, 0);
      EXPECT_TRUE(files.goes("two", Seconds{1})) << files.process().output();
      ASSERT_EQ(box.daemon.cli({"reinstate", "email:member2@example.com"}).code, 0);
    }
    ASSERT_TRUE(eventually([&] {
      const std::string now = files.text("one");
      return !now.empty() && now != before;
    })) << "it goes on rotating";
  }
  one.stop();
  two.stop();
  EXPECT_THAT(one.faults(), ::testing::IsEmpty());
  EXPECT_THAT(two.faults(), ::testing::IsEmpty());
  EXPECT_GE(one.contents().size(), std::size_t{kRounds}) << "the readers saw the rotations";
  EXPECT_GT(one.reads(), 10 * kRounds);

  // From the next rotation on no token changes any more; then the programs come to rest.
  EXPECT_EQ(box.sandbox.control(post("/_sandbox/options", R"({"access_ttl":"1h"})")).status, 200);
  const std::string last = files.text("one");
  ASSERT_TRUE(eventually([&] { return files.text("one") != last && files.is_told("one"); }))
      << files.process().output();
  const int runs = files.runs();
  files.kill9();
  box.daemon.kill9();
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(files.starts_without_a_run());
  EXPECT_EQ(files.runs(), runs) << "a restart of everything runs nothing";
}

}  // namespace
}  // namespace rota::e2e
