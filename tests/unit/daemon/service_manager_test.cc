#include "daemon/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rota {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ServiceManager, LastWordsOfAWrongConfigurationSayHowToGetGoingAgain) {
  const std::string words =
      last_words({.kind = ErrorKind::kConfig, .message = "rotad.toml:3:1: no such key\nhere"});
  EXPECT_THAT(words, StartsWith("rotad.toml:3:1: no such key here ("));
  EXPECT_THAT(words,
              HasSubstr("systemctl reset-failed rotad.service rotad.socket rotad-admin.socket"));
  EXPECT_THAT(words, Not(HasSubstr("\n"))) << "the next line were another assignment";
}

TEST(ServiceManager, LastWordsOfWhatMayPassAreTheErrorAlone) {
  EXPECT_EQ(last_words({.kind = ErrorKind::kBusy, .message = "held by pid 7"}), "held by pid 7");
}

TEST(ServiceManager, ABiggerDatabaseMayTakeLonger) {
  using std::chrono::seconds;
  EXPECT_EQ(load_time_max(0), seconds{90}) << "never less than the unit allows by itself";
  EXPECT_EQ(load_time_max(std::uint64_t{600} << 20U), seconds{690});
}

}  // namespace
}  // namespace rota
