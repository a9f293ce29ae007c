#include "cli/doctor_credentials.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const SecretSource kKey{.credential = "store-key", .file = {}};

class DoctorCredentials : public ::testing::Test {
 protected:
  // A secret's file, as `rota setup --root` makes it; or another one of its folders.
  std::string write(const std::string& path, std::string_view text = "secret\n",
                    mode_t mode = 0600) const {
    fs::create_directories(fs::path(path).parent_path());
    testing::write_bytes(path, std::string(text));
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  std::string credential() const { return places_.credential("store-key", false); }
  Finding look(const SecretSource& source = kKey, const std::string& key = "key") {
    return Credentials(places_, config_, "").look_at(key, source, checked_);
  }

  testing::TempDirectory folder_;
  const Places places_{(folder_ / "root").string()};
  std::string config_;
  std::string checked_;
};

TEST_F(DoctorCredentials, AFileOfItsOwnerIsGood) {
  const std::string path = write(credential());
  EXPECT_EQ(look(), good("credential", path + " (mode 0600)"));
  EXPECT_EQ(checked_, path);
}

TEST_F(DoctorCredentials, AMissingOneIsWrongWithARemedyOfItsOwn) {
  EXPECT_EQ(look().state, FindingState::kWrong);
  EXPECT_THAT(look().remedy, HasSubstr("restore the store key"));
  EXPECT_THAT(look(kKey, "app_token").remedy, HasSubstr("it asks for the app token"));
  EXPECT_TRUE(checked_.empty());
}

TEST_F(DoctorCredentials, OneThatOthersCanReadOrThatIsEmptyIsWrong) {
  write(credential(), "secret\n", 0640);
  EXPECT_EQ(look().state, FindingState::kWrong);
  EXPECT_THAT(look().text, HasSubstr("can be read by others (mode 0640)"));
  write(credential(), "", 0600);
  EXPECT_EQ(look().state, FindingState::kWrong);
  EXPECT_THAT(look().text, HasSubstr("is empty"));
}

TEST_F(DoctorCredentials, ASealedOneNeedsTheDropInThatOpensIt) {
  const std::string sealed = write(places_.credential("store-key", true));
  EXPECT_EQ(look().state, FindingState::kWrong);
  EXPECT_THAT(look().text, HasSubstr("so systemd does not decrypt it"));
  EXPECT_EQ(look().remedy, "rota setup --encrypted");
  write(places_.drop_in);
  EXPECT_EQ(look().state, FindingState::kGood);
  EXPECT_EQ(checked_, sealed);
}

// Not of the installed place.
TEST_F(DoctorCredentials, AnotherConfigurationHasItsCredentialsBesideIt) {
  write(credential());
  config_ = (folder_ / "elsewhere" / "rotad.toml").string();
  EXPECT_EQ(look().state, FindingState::kWrong);
  EXPECT_THAT(look().remedy, HasSubstr("--credentials DIR"));
  write((folder_ / "elsewhere" / "credentials" / "store-key").string());
  EXPECT_EQ(look().state, FindingState::kGood);
}

}  // namespace
}  // namespace rota::cli
