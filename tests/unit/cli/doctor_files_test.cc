#include "cli/doctor_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

class DoctorFiles : public ::testing::Test {
 protected:
  DoctorFiles() {
    testing::write_bytes(config(),
                         fmt::format("[[file]]\nmember = \"id:42\"\npath = \"{}\"\n", path()));
  }
  std::string config() const { return folder / "files.toml"; }
  std::string path() const { return folder / "token"; }
  Findings look() const { return judge_token_file(config(), path(), ::geteuid()); }

  testing::TempDirectory folder;
};

TEST_F(DoctorFiles, AFileAsAskedForIsGood) {
  testing::write_bytes(path(), "token");
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  const Findings findings = look();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].state, FindingState::kGood) << findings[0].text;
}

TEST_F(DoctorFiles, AnotherModeIsWrong) {
  testing::write_bytes(path(), "token");
  ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
  EXPECT_THAT(look().at(0).text, HasSubstr("with the mode 0644, which is not what was asked for"));
}

TEST_F(DoctorFiles, AFileThatIsNotThereHasAHint) {
  const Findings findings = look();
  EXPECT_FALSE(all_well(findings));
  EXPECT_THAT(findings.at(0).remedy, HasSubstr("rota member id:42"));
}

TEST_F(DoctorFiles, AFolderOfOthersIsWrong) {
  ASSERT_EQ(::chmod(folder.path().c_str(), 0770), 0);
  EXPECT_THAT(look().at(0).text, HasSubstr("chmod go-w"));
}

TEST_F(DoctorFiles, APathThatNobodyKeepsIsWrong) {
  EXPECT_THAT(judge_token_file(config(), folder / "other", ::geteuid()).at(0).text,
              HasSubstr("no [[file]] with that path"));
  EXPECT_THAT(judge_token_file(folder / "none.toml", path(), ::geteuid()).at(0).text,
              HasSubstr("none.toml"));
}

}  // namespace
}  // namespace rota::cli
