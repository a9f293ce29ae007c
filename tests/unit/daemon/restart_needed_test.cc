#include "daemon/restart_needed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rota {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RestartNeeded, NotForWhatAReloadTakesIn) {
  Settings on_disk;
  on_disk.log_level = LogLevel::kError;
  on_disk.grants.emplace_back().name = "app";
  on_disk.clients.emplace_back().name = "web";
  on_disk.upstream.app_token = {.credential = {}, .file = "/etc/rota/app-token"};
  EXPECT_THAT(restart_needed(Settings{}, on_disk), IsEmpty());
}

TEST(RestartNeeded, NamesEachSectionThatChanged) {
  const auto sections = [](auto change) {
    Settings on_disk;
    change(on_disk);
    return restart_needed(Settings{}, on_disk);
  };
  EXPECT_THAT(sections([](Settings& s) { s.upstream.base_url += "/x"; }), ElementsAre("upstream"));
  EXPECT_THAT(sections([](Settings& s) { s.upstream.budget_file = "/x"; }),
              ElementsAre("upstream"));
  EXPECT_THAT(sections([](Settings& s) { s.roster.watch = false; }), ElementsAre("roster"));
  EXPECT_THAT(sections([](Settings& s) { s.store.path += "x"; }), ElementsAre("store"));
  EXPECT_THAT(sections([](Settings& s) { ++s.audit.rows_max; }), ElementsAre("audit"));
  EXPECT_THAT(sections([](Settings& s) { ++s.serve.max_connections; }), ElementsAre("serve"));
  EXPECT_THAT(sections([](Settings& s) { s.listeners.emplace_back(); }), ElementsAre("listener"));
}

// The policy has fields of three sections.
TEST(RestartNeeded, NamesTheSectionThatAFieldOfThePolicyStandsIn) {
  const auto sections = [](auto change) {
    Settings on_disk;
    change(on_disk.policy);
    return restart_needed(Settings{}, on_disk);
  };
  EXPECT_THAT(sections([](Policy& p) { ++p.requests_per_window; }), ElementsAre("upstream"));
  EXPECT_THAT(sections([](Policy& p) { p.window += p.window; }), ElementsAre("upstream"));
  EXPECT_THAT(sections([](Policy& p) { ++p.max_in_flight; }), ElementsAre("upstream"));
  EXPECT_THAT(sections([](Policy& p) { ++p.guard.max_retire_count; }), ElementsAre("roster"));
  EXPECT_THAT(sections([](Policy& p) { ++p.enrolment.max_members; }), ElementsAre("enrolment"));
  EXPECT_THAT(sections([](Policy& p) { p.active_within += p.active_within; }),
              ElementsAre("rotation"));
}

}  // namespace
}  // namespace rota
