#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "e2e/box.h"
#include "e2e/caller.h"

namespace rota::e2e {

// Any user and groups but those of the daemon; no account of this machine needs to have them.
inline Caller user(uid_t uid, gid_t gid = 61'000, std::vector<gid_t> groups = {}) {
  return {.uid = uid, .gid = gid, .groups = std::move(groups)};
}

inline std::string grant(std::string_view holder, std::string_view members) {
  return fmt::format("\n[[grant]]\n{}\nmembers = [{}]\n", holder, members);
}

// A box whose token socket everybody reaches, so that grants alone decide.
class GrantBox : public Box {
 public:
  GrantBox() {
    daemon.serve["token_socket_mode"] = "\"0666\"";
    for (const auto& path : {folder.path(), daemon.folder()}) {
      std::filesystem::permissions(
          path, std::filesystem::perms::others_exec | std::filesystem::perms::group_exec,
          std::filesystem::perm_options::add);
    }
    daemon.write_roster(std::string(kThreeMembers) + R"([[member]]
community_member_id = 4
tags = ["support", "beta"]
)");
  }

  Reply fetch_as(const Caller& caller, std::string_view query) const {
    Connection connection = caller.connect(daemon.token_socket());
    connection.send(get(fmt::format("/v1/token?{}", query)));
    return connection.read_reply();
  }
  // "200", or the code of the refusal.
  std::string verdict(const Caller& caller, std::string_view query) const {
    return text_of(fetch_as(caller, query));
  }
  static std::string text_of(const Reply& reply) {
    return reply.status == 200 ? "200" : reply.text("code");
  }
  // A reload by signal whose end is seen in the log.
  void reload_by_signal(std::string_view says) {
    const std::size_t before = count(says);
    daemon.process().signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return count(says) > before; })) << daemon.process().output();
  }

 private:
  std::size_t count(std::string_view words) {
    std::size_t found = 0;
    const std::string log = daemon.process().output();
    for (auto at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) ++found;
    return found;
  }
};

class Grants : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can connect as other users";
  }
};

}  // namespace rota::e2e
