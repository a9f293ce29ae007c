#include "http/intake.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

TEST(Intake, GivesLeaveOnceForEachRequest) {
  Intake intake;
  EXPECT_TRUE(intake.invite_body());
  EXPECT_FALSE(intake.invite_body());
  EXPECT_TRUE(intake.is_open());
  intake.request_taken();
  EXPECT_TRUE(intake.invite_body());
}

TEST(Intake, GivesNoLeaveToAClientThatSendsNoMore) {
  Intake shut;
  shut.shut();
  EXPECT_FALSE(shut.invite_body());
  Intake ended;
  ended.end();
  EXPECT_FALSE(ended.invite_body());
}

TEST(Intake, WhatWasSentBeforeItIsShutIsStillRead) {
  Intake intake;
  intake.invite_body();
  intake.shut();
  EXPECT_FALSE(intake.is_open());
  EXPECT_TRUE(intake.is_shut());
  EXPECT_TRUE(intake.may_receive());
  intake.request_taken();
  EXPECT_TRUE(intake.is_shut()) << "the invited request does not open it again";
  intake.end();
  EXPECT_TRUE(intake.has_ended());
  EXPECT_FALSE(intake.is_shut());
  EXPECT_FALSE(intake.may_receive());
  EXPECT_FALSE(intake.is_done()) << "what is read is still taken";
}

TEST(Intake, NeverGoesBack) {
  Intake ended;
  ended.end();
  ended.shut();
  ended.request_taken();
  EXPECT_TRUE(ended.has_ended());

  Intake done;
  done.finish();
  done.shut();
  done.end();
  done.request_taken();
  EXPECT_TRUE(done.is_done());
  EXPECT_FALSE(done.has_ended());
  EXPECT_FALSE(done.is_open());
  EXPECT_FALSE(done.may_receive());
  EXPECT_FALSE(done.invite_body());
}

}  // namespace
}  // namespace rota
