#include "report/reload_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace rota {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Part = ReloadReport::Part;

TEST(ReloadReport, AddsWhatBecameOfEachPartToThePlan) {
  ReloadReport report;
  report.grants = Part::kWaiting;
  report.needs_restart = {"upstream"};
  report.held_back = {"rotad.toml:3: no user \"x\""};
  report.changed = {"clients: 1 added"};
  const auto json =
      boost::json::parse(with_report(R"({"id":"7","held":true})", report)).as_object();
  EXPECT_EQ(json.at("id"), "7");
  const auto& reload = json.at("reload").as_object();
  EXPECT_EQ(reload.at("configuration"), "in_force");
  EXPECT_EQ(reload.at("grants"), "waiting");
  EXPECT_EQ(reload.at("app_token"), "in_force");
  EXPECT_EQ(reload.at("roster"), "in_force");
  EXPECT_EQ(reload.at("needs_restart"), boost::json::array{"upstream"});
  EXPECT_EQ(reload.at("held_back").as_array().size(), 1U);
  EXPECT_EQ(reload.at("changed"), boost::json::array{"clients: 1 added"});
  EXPECT_EQ(warnings_of(report).size(), 2U);
  EXPECT_THAT(warnings_of(ReloadReport{}), IsEmpty());
}

TEST(ReloadReport, CountsWhatChanged) {
  EXPECT_EQ(changes_in("clients", {.added = 1, .changed = 0, .removed = 2}),
            "clients: 1 added, 2 removed");
  EXPECT_EQ(changes_in("grants", {.changed = 3}), "grants: 3 changed");
  EXPECT_EQ(changes_in("grants", {}), "");
}

TEST(ReloadReport, AFailureSaysWhatCameIntoForceAllTheSame) {
  ReloadReport report;
  report.add({.kind = ErrorKind::kConfig, .message = "roster.toml:1: no"});
  report.add({.kind = ErrorKind::kIo, .message = "the app token: no"});
  report.roster = report.app_token = Part::kFailed;
  report.grants = Part::kWaiting;
  ASSERT_TRUE(report.failed());
  const Error error = error_of(report);
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_EQ(
      error.message,
      "roster.toml:1: no; the app token: no; these are in force as on disk: configuration; removed "
      "grants are withdrawn, added ones wait for the roster");
}

}  // namespace
}  // namespace rota
