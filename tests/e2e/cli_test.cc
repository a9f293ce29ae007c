#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>

#include "e2e/box.h"

// `rota` as shells and scripts run it: whatever its standard descriptors are.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class InAShell : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  }
  // `$rota` is the command; `$out` a file of its own.
  Finished shell(const std::string& script) {
    return run({"/bin/bash", "-c",
                "out=" + out().string() + "; rota=" ROTA_CLI "; rotad=" ROTAD "; " + script},
               box.folder.path(),
               {{"ROTA_TOKEN_SOCKET", box.daemon.token_socket().string()},
                {"ROTA_ADMIN_SOCKET", box.daemon.admin_socket().string()}});
  }
  std::filesystem::path out() const { return box.folder / "out"; }
  std::string written() const { return testing::read_bytes(out()); }
  Box box;
};

TEST_F(InAShell, ATokenThatCannotBeWrittenIsAFailure) {
  for (const char* script :
       {"$rota token id:1 >&-", "$rota token id:1 <&- >&-", "$rota token id:1 >/dev/full",
        "$rota status >&-", "$rota --help >&-", "$rota --help >/dev/full"}) {
    const Finished finished = shell(std::string(script) + " 2>$out");
    EXPECT_EQ(finished.code, 1) << script;
  }
  EXPECT_EQ(shell("$rota token id:1 >&- 2>$out").code, 1);
  EXPECT_THAT(written(), HasSubstr("cannot write")) << "and it says so";
  EXPECT_EQ(shell("$rota token id:1 >&- 2>&-").code, 1);
  EXPECT_EQ(shell("$rota token id:1 <&- >$out").code, 0);
}

// Otherwise a token that nobody has seen would count from the next reload on.
TEST_F(InAShell, AClientWhoseTokenCannotBeWrittenIsNotAdded) {
  const std::string at = " --config " + box.daemon.config_path().string();
  for (const char* to : {">/dev/full", ">&-"}) {
    EXPECT_EQ(shell("$rota client add zz" + at + " 2>$out " + to).code, 1);
    EXPECT_THAT(written(), HasSubstr("cannot write"));
    EXPECT_FALSE(std::filesystem::exists(box.daemon.folder() / "clients.d" / "zz.toml")) << to;
  }
  shell("exec 3> >(exec true); wait $!; $rota client add zz" + at + " >&3");
  EXPECT_FALSE(std::filesystem::exists(box.daemon.folder() / "clients.d" / "zz.toml"));
  EXPECT_EQ(shell("$rota client add zz" + at + " >$out").code, 0);
  EXPECT_THAT(written(), HasSubstr("rota_"));
  // An error elsewhere in the configuration keeps nobody from taking a token back.
  box.daemon.extra = "[audit]\nnosuch = 1\n";
  box.daemon.write_config();
  EXPECT_EQ(shell("$rota client remove zz" + at + " 2>$out").code, 0) << written();
  EXPECT_FALSE(std::filesystem::exists(box.daemon.folder() / "clients.d" / "zz.toml"));
  EXPECT_NE(shell("$rota client remove zz" + at + " 2>$out").code, 0);
  EXPECT_THAT(written(), HasSubstr("nosuch"));
}

// What the shells offer after what was typed: commands, options, and keys of the daemon.
TEST_F(InAShell, CompletesCommandsOptionsAndKeys) {
  const std::string path = "PATH=$(dirname $rota):$PATH; ";
  const auto in_bash = [&](const std::string& typed) {
    return shell(path + "source <(rota completion bash); COMP_LINE='" + typed +
                 "' COMP_POINT=${#COMP_LINE}; COMP_POINT=${#COMP_LINE}; _rota; "
                 "echo \"${COMPREPLY[@]}\"")
        .output;
  };
  EXPECT_EQ(in_bash("rota mem"), "members member\n");
  EXPECT_EQ(in_bash("rota members --ov"), "--overdue\n");
  EXPECT_EQ(in_bash("rota member i"), "id:1\n");
  EXPECT_EQ(in_bash("rota member email:"), "member2@example.com\n")
      << "bash replaces what follows the colon";
  EXPECT_EQ(in_bash("rota member id:9"), "\n");
  const auto in_fish = [&](const std::string& typed) {
    return shell(path + "fish -c 'rota completion fish | source; complete -C \"" + typed + "\"'")
        .output;
  };
  EXPECT_EQ(in_fish("rota member id:"), "id:1\n");
  EXPECT_EQ(in_fish("rota members --ov"), "--overdue\n");
  EXPECT_EQ(shell(path + "zsh -n <(rota completion zsh) && rota completion zsh >$out").code, 0);
  EXPECT_THAT(written(), HasSubstr("#compdef rota"));
  box.daemon.kill9();
  EXPECT_EQ(in_bash("rota member id:"), "\n") << "and no error while somebody types";
}

TEST_F(InAShell, AddsAndRemovesAClientInJson) {
  const std::string at = " --json --config " + box.daemon.config_path().string() + " 2>/dev/null";
  const auto made = boost::json::parse(shell("$rota client add shop" + at).output).as_object();
  EXPECT_EQ(made.at("name"), "shop");
  EXPECT_TRUE(made.at("token").as_string().starts_with("rota_"));
  EXPECT_EQ(shell("$rota client add shop" + at).code, 0);
  EXPECT_EQ(shell("$rota client remove shop --old" + at).output,
            "{\"name\":\"shop\",\"removed\":1,\"left\":1}\n");
  EXPECT_EQ(shell("$rota client remove shop" + at).output,
            "{\"name\":\"shop\",\"removed\":1,\"left\":0}\n");
}

// The initializers of the libraries take milliseconds, and run before main().
TEST_F(InAShell, AHangupBeforeMainDoesNotEndTheDaemon) {
  const Finished finished = shell("LD_PRELOAD=" EARLY_HANGUP " $rotad --version");
  EXPECT_EQ(finished.code, 0) << finished.output;
}

TEST_F(InAShell, WhatTheDaemonsCommandsCannotWriteIsAFailure) {
  const std::string check = "$rotad --check --config " + box.daemon.config_path().string();
  for (const std::string& command : {std::string("$rotad keygen"), std::string("$rotad --help"),
                                     std::string("$rotad --version"), check}) {
    for (const char* to : {">/dev/full", ">&-"}) {
      EXPECT_EQ(shell(command + " 2>$out " + to).code, 1) << command << to;
      EXPECT_THAT(written(), HasSubstr("cannot write")) << command << to;
    }
    EXPECT_EQ(shell(command + " >$out").code, 0) << command;
    EXPECT_THAT(written(), Not(IsEmpty())) << command;
  }
}

TEST_F(InAShell, AReaderThatHasGoneEndsItQuietly) {
  EXPECT_EQ(shell("exec 3> >(exec true); wait $!; $rota --help >&3; echo $? >$out").output, "");
  EXPECT_EQ(written(), fmt::format("{}\n", 128 + SIGPIPE));
  const Finished finished =
      shell("exec 3> >(exec true); wait $!; $rota members >&3; echo $? >$out");
  EXPECT_THAT(finished.output, IsEmpty());
  EXPECT_EQ(written(), fmt::format("{}\n", 128 + SIGPIPE));
}

TEST_F(InAShell, AWatchEndsWhenItsReaderGoes) {
  const Finished finished = shell("$rota watch id:1 2>&1 | head -n 1 | cut -c 1-16");
  EXPECT_EQ(finished.code, 0);
  EXPECT_EQ(finished.output, "{\"event\":\"token\"\n");
}

TEST_F(InAShell, MembersStandInTheirNaturalOrder) {
  std::string roster;
  for (const int id : {11, 10, 5, 4, 1}) {
    roster += fmt::format("[[member]]\ncommunity_member_id = {}\n", id);
  }
  box.daemon.write_roster(roster);
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  const Finished finished = shell(
      "$rota members --json | tr , '\\n' | "
      "sed -nE 's/^(.*\\[)?\\{\"key\":\"(id:[0-9]+)\"$/\\2/p' | uniq");
  EXPECT_EQ(finished.output, "id:1\nid:4\nid:5\nid:10\nid:11\n");
}

// The order is given: Ctrl-C ends only the wait for it.
TEST(LongCommands, CtrlCSaysWhatGoesOn) {
  Box box{{"--access-ttl", "1h", "--refresh-ttl", "30d", "--latency", "4s"}};
  box.daemon.upstream["request_timeout"] = "\"20s\"";
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  Process revoke({ROTA_CLI, "--socket", box.daemon.admin_socket().string(), "revoke", "id:1"},
                 box.folder / "revoke.log");
  ASSERT_TRUE(
      eventually([&] { return box.daemon.member("id:1").at("state").as_string() == "blocked"; }));
  EXPECT_EQ(revoke.kill_and_wait(SIGINT), -SIGINT);
  EXPECT_THAT(revoke.output(), HasSubstr("rota: rotad goes on with it"));
  EXPECT_TRUE(eventually([&] { return box.sandbox.tokens(1, "", "live").empty(); }));
}

}  // namespace
}  // namespace rota::e2e
