#include "cli/import.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/import_files.h"
#include "settings/roster_file.h"
#include "settings/secret_files.h"
#include "support/temp_directory.h"

namespace rota::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class GatheredOutput : public Output {
 public:
  Result<void> out(std::string_view text) override {
    printed += text;
    return {};
  }
  void err(std::string_view line) override { said += line; }
  void show_progress(std::string_view what) override { progress += what; }
  void end_work() override { progress += "."; }
  std::string progress;
  std::string printed;
  std::string said;
};

class ImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "roster.d");
    command_.out = out().string();
    command_.config = write("rotad.toml", "[roster]\npath = \"" + out().string() + "\"\n");
  }
  fs::path out() const { return folder_ / "roster.d" / "circle.toml"; }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::string roster() const { return rota::testing::read_bytes(out()); }
  ExitCode import(std::string_view text, bool as_json = false) {
    command_.files = {write("list", text)};
    return run(as_json);
  }
  ExitCode run(bool as_json = false) {
    output_ = {};
    return run_import(command_, as_json, output_);
  }
  // Every file below the folder, with its bytes: no draft may stay behind.
  std::map<std::string, std::string> all_files() const {
    std::map<std::string, std::string> files;
    for (const auto& each : fs::recursive_directory_iterator(folder_.path())) {
      if (!each.is_regular_file()) continue;
      files[each.path().string()] = rota::testing::read_bytes(each.path());
    }
    return files;
  }
  std::vector<std::string> keys_on_disk() const {
    const auto read = read_roster(out().string());
    if (!read) return {read.error().message};
    const auto parsed = parse_roster(*read);
    if (!parsed) return {parsed.error().message};
    std::vector<std::string> keys;
    for (const RosterEntry& entry : parsed->entries) {
      keys.push_back(entry.key.text() + (entry.retired ? " retired" : ""));
    }
    return keys;
  }
  struct stat status() const {
    struct stat found{};
    EXPECT_EQ(::lstat(out().c_str(), &found), 0);
    return found;
  }

  rota::testing::TempDirectory folder_;
  ImportCommand command_;
  GatheredOutput output_;
};

TEST_F(ImportTest, WritesANewRoster) {
  ASSERT_EQ(import("Member ID,Name,Active\n2,Bob,false\n1,\"Ada \"\"A\"\"\",true\n"),
            ExitCode::kDone)
      << output_.said;
  EXPECT_THAT(keys_on_disk(), ElementsAre("id:1", "id:2 retired"));
  EXPECT_EQ(status().st_mode & S_IRWXO, 0U) << "it names members";
  EXPECT_THAT(output_.printed, HasSubstr("2 entries, 1 of them retired\n"));
  EXPECT_THAT(output_.printed,
              HasSubstr("costs about 1 call to Circle; the budget has 1200 in 5m"));
  EXPECT_THAT(output_.printed, HasSubstr("written"));
  EXPECT_EQ(output_.said, "");
}

TEST_F(ImportTest, SaysWhatChanges) {
  ASSERT_EQ(import("Member ID,Name,Active\n1,a,true\n2,b,true\n3,c,true\n4,d,false\n5,e,true\n"),
            ExitCode::kDone);
  const std::string next =
      "Member ID,Name,Active\n2,B,true\n3,c,false\n5,e,true\n10,f,true\n9,g,true\n";
  command_.dry_run = true;
  const auto before = all_files();
  ASSERT_EQ(import(next), ExitCode::kDone);
  for (const char* line :
       {"  add     2: id:9, id:10\n", "  change  1: id:2\n", "  retire  1: id:3\n",
        "  remove  2: id:1, id:4\n", "about 6 calls", "2 active members of 4 would leave",
        "nothing was written (--dry-run)"}) {
    EXPECT_THAT(output_.printed, HasSubstr(line));
  }
  auto after = all_files();
  after[(folder_ / "list").string()] = before.at((folder_ / "list").string());
  EXPECT_EQ(after, before);

  command_.dry_run = false;
  ASSERT_EQ(import(next, true), ExitCode::kDone);
  const auto json = boost::json::parse(output_.printed).as_object();
  EXPECT_EQ(boost::json::serialize(json.at("add")), R"(["id:9","id:10"])");
  EXPECT_EQ(boost::json::serialize(json.at("change")), R"(["id:2"])");
  EXPECT_EQ(boost::json::serialize(json.at("retire")), R"(["id:3"])");
  EXPECT_EQ(boost::json::serialize(json.at("remove")), R"(["id:1","id:4"])");
  EXPECT_EQ(json.at("calls").as_int64(), 6);
  EXPECT_EQ(json.at("members").as_int64(), 5);
  EXPECT_EQ(json.at("held").as_bool(), false);
  EXPECT_EQ(json.at("written").as_bool(), true);
  EXPECT_THAT(keys_on_disk(), ElementsAre("id:2", "id:3 retired", "id:5", "id:9", "id:10"));
}

TEST_F(ImportTest, P6SaysWhatTheGuardWouldHold) {
  write("rotad.toml", fmt::format("[roster]\npath = \"{}\"\nmax_retire_count = 1\n"
                                  "max_retire_fraction = 0.5\n",
                                  out().string()));
  ASSERT_EQ(import("Member ID\n1\n2\n3\n4\n"), ExitCode::kDone) << output_.said;
  command_.dry_run = true;
  ASSERT_EQ(import("Member ID\n3\n4\n"), ExitCode::kDone);
  EXPECT_THAT(output_.printed, HasSubstr("the guard lets it through: 2 active members of 4"));
  ASSERT_EQ(import("Member ID\n4\n"), ExitCode::kDone);
  EXPECT_THAT(output_.printed, HasSubstr("THE GUARD WOULD HOLD IT: 3 active members of 4"));
  EXPECT_THAT(output_.printed, HasSubstr("more than 1 and more than 50 %"));
}

TEST_F(ImportTest, ReplacesTheFileAndKeepsItsPermissions) {
  std::ofstream(out()) << "[[member]]\ncommunity_member_id = 1\n";
  ASSERT_EQ(::chmod(out().c_str(), 0644), 0);
  const bool is_root = ::geteuid() == 0;
  constexpr uid_t kOther = 12'345;
  if (is_root) {
    ASSERT_EQ(::chown(out().c_str(), kOther, kOther + 1), 0);
  }
  fs::create_hard_link(out(), folder_ / "other name");
  ASSERT_EQ(import("Member ID\n2\n"), ExitCode::kDone) << output_.said;
  EXPECT_THAT(keys_on_disk(), ElementsAre("id:2"));
  EXPECT_EQ(status().st_mode & 07777U, 0644U);
  EXPECT_EQ(status().st_uid, is_root ? kOther : ::geteuid());
  if (is_root) {
    EXPECT_EQ(status().st_gid, kOther + 1);
  }
  EXPECT_THAT(rota::testing::read_bytes(folder_ / "other name"), HasSubstr("_id = 1\n"))
      << "the old file is never written to";
}

TEST_F(ImportTest, TheSameListWritesNothing) {
  ASSERT_EQ(import("Member ID\n1\n2\n"), ExitCode::kDone);
  const ino_t inode = status().st_ino;
  ASSERT_EQ(import("Member ID\r\n2\r\n1\r\n"), ExitCode::kDone);
  EXPECT_THAT(output_.printed, HasSubstr("nothing was written"));
  EXPECT_EQ(status().st_ino, inode);
}

TEST_F(ImportTest, P6ABadListLeavesTheFileAsItIs) {
  ASSERT_EQ(import("Member ID\n1\n"), ExitCode::kDone);
  for (const char* bad :
       {"", "Member ID\n", "Member ID\n2\n2\n", "Member ID\n2\nx\n", "Member ID\n2",
        "{\"count\":2,\"records\":[{\"id\":1,\"active\":true}]}", "{\"count\":"}) {
    write("list", bad);
    const auto before = all_files();
    EXPECT_EQ(import(bad), ExitCode::kFailed) << bad;
    EXPECT_EQ(all_files(), before) << bad;
    EXPECT_EQ(output_.printed, "") << bad;
    EXPECT_THAT(output_.said, HasSubstr(command_.files.front())) << bad;
  }
}

TEST_F(ImportTest, ReadsRegularFilesOnly) {
  const std::string fifo = (folder_ / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, folder_.path().string(), (folder_ / "none").string()}) {
    command_.files = {path};
    EXPECT_EQ(run(), ExitCode::kFailed) << path;
    EXPECT_THAT(output_.said, HasSubstr(path));
  }
  command_.files = {"-", "-"};
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, HasSubstr("only once"));
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(ImportTest, SaysThatALargeListTakesLong) {
  EXPECT_EQ(import("Member ID\n1\n"), ExitCode::kDone);
  EXPECT_EQ(output_.progress, ".");
  std::string large = "Member ID,Notes\n";
  for (int id = 1; id <= 4'096; ++id) {
    large += fmt::format("{},{}\n", id, std::string(1'024, 'x'));
  }
  EXPECT_EQ(import(large), ExitCode::kDone) << output_.said;
  EXPECT_EQ(output_.progress, "reading 4 MiB of lists, and comparing.");
}

TEST_F(ImportTest, WritesThroughNoLink) {
  const std::string kept = write("kept.toml", "[[member]]\ncommunity_member_id = 1\n");
  fs::create_symlink(kept, out());
  EXPECT_EQ(import("Member ID\n2\n"), ExitCode::kFailed);
  EXPECT_THAT(output_.said, HasSubstr("is a link"));
  EXPECT_THAT(rota::testing::read_bytes(kept), HasSubstr("= 1"));
  EXPECT_TRUE(fs::is_symlink(out()));
  // One that leads nowhere yet.
  fs::remove(kept);
  EXPECT_EQ(import("Member ID\n2\n"), ExitCode::kFailed);
  EXPECT_FALSE(fs::exists(kept));
}

TEST_F(ImportTest, AFileThatChangedMeanwhileIsKept) {
  std::ofstream(out()) << "# one\n";
  const auto target = RosterTarget::look_at(out().string());
  ASSERT_TRUE(target);
  std::ofstream(out(), std::ios::app) << "# two\n";
  const auto written = target->write("# three\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kBusy);
  EXPECT_EQ(roster(), "# one\n# two\n");
}

TEST_F(ImportTest, WritesOnlyWhereARosterBelongs) {
  for (const std::string& wrong :
       {(folder_ / "none" / "x.toml").string(), folder_.path().string() + "/", std::string("-"),
        (folder_ / "roster.d").string()}) {
    command_.out = wrong;
    EXPECT_EQ(import("Member ID\n2\n"), ExitCode::kFailed) << wrong;
    EXPECT_NE(output_.said, "");
  }
  // A file that is something else is kept; one of `rota setup` without a member is replaced.
  command_.out = out().string();
  std::ofstream(out()) << "root:x:0:0\n";
  EXPECT_EQ(import("Member ID\n2\n"), ExitCode::kFailed);
  EXPECT_EQ(roster(), "root:x:0:0\n");
  std::ofstream(out()) << "# Who has tokens.\n\n#[[member]]\n";
  EXPECT_EQ(import("Member ID\n2\n"), ExitCode::kDone) << output_.said;
  EXPECT_THAT(keys_on_disk(), ElementsAre("id:2"));
}

TEST_F(ImportTest, P6FitsTheOtherFilesOfTheRoster) {
  write("rotad.toml", fmt::format("[roster]\npath = \"{}\"\nmax_retire_count = 0\n",
                                  out().parent_path().string()));
  write("roster.d/hand.toml", "[[member]]\ncommunity_member_id = 7\n");
  write("roster.d/.hidden.toml", "no roster");
  EXPECT_EQ(import("Member ID\n6\n7\n"), ExitCode::kFailed);
  EXPECT_THAT(output_.said, HasSubstr("id:7 is already listed at"));
  EXPECT_FALSE(fs::exists(out()));
  ASSERT_EQ(import("Member ID\n6\n8\n"), ExitCode::kDone) << output_.said;
  EXPECT_THAT(output_.printed, HasSubstr("  add     2: id:6, id:8\n"));
  ASSERT_EQ(import("Member ID\n6\n"), ExitCode::kDone);
  EXPECT_THAT(output_.printed, HasSubstr("1 active member of 3 would leave"));
  // A name that the daemon passes over.
  command_.out = (folder_ / "roster.d" / "circle.csv").string();
  EXPECT_EQ(import("Member ID\n9\n"), ExitCode::kFailed);
  EXPECT_THAT(output_.said, HasSubstr("end in .toml"));
  // Another folder.
  command_.out = (folder_ / "trial.toml").string();
  EXPECT_EQ(import("Member ID\n7\n"), ExitCode::kDone) << output_.said;
  EXPECT_THAT(output_.printed, HasSubstr("not in the roster of the configuration"));
}

TEST_F(ImportTest, P10RepeatsNoSecretInTheWrongPlace) {
  constexpr std::string_view kSecret = "eyJhbGciOiJSUzI1NiJ9x8Kq2Vv7Lw3";
  command_.files = {std::string(kSecret)};
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, Not(HasSubstr(std::string(kSecret))));
  command_.out = (folder_ / std::string(kSecret) / "x").string();
  EXPECT_EQ(import("Member ID\n1\n"), ExitCode::kFailed);
  EXPECT_THAT(output_.said, Not(HasSubstr(std::string(kSecret))));
  command_.out = out().string();
  command_.config = kSecret;
  EXPECT_EQ(import("Member ID\n1\n"), ExitCode::kFailed);
  EXPECT_THAT(output_.said, Not(HasSubstr(std::string(kSecret))));
  EXPECT_NE(output_.said, "");
}

}  // namespace
}  // namespace rota::cli
