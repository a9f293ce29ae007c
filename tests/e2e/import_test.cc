#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "e2e/box.h"

// From Circle's own lists to tokens: rota import, rotad --check, and the daemon.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

class ImportBox : public Box {
 public:
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
  }
  // `files` are words of a shell.
  Finished import(const std::string& files) const {
    return run({"/bin/sh", "-c",
                fmt::format("exec {} import {} --out {} --config {}", ROTA_CLI, files,
                            daemon.roster_path().string(), daemon.config_path().string())},
               folder.path());
  }
  bool serves(std::string_view selector) {
    return eventually([&] { return !daemon.token(selector).empty(); });
  }
};

TEST(Import, P4P6FromCirclesListsToTokens) {
  ImportBox box;
  box.daemon.write_config();
  const std::string csv = box.write("members.csv",
                                    "\xef\xbb\xbf"
                                    "Name,Email,Member ID\r\n\"Ada\nLovelace\",a@x,1\r\n"
                                    "\"Grace \"\"Amazing\"\" Hopper\",b@x,2\r\nBob,c@x,3\r\n");
  const Finished imported = box.import(csv);
  ASSERT_EQ(imported.code, 0) << imported.output;
  EXPECT_THAT(imported.output, HasSubstr("add     2: id:2, id:3")) << "1 was there";
  const Finished checked =
      box.daemon.daemon_command({"--check", "--config", box.daemon.config_path().string()});
  ASSERT_EQ(checked.code, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("good, 3 entries"));

  ASSERT_TRUE(box.daemon.start());
  for (int id = 1; id <= 3; ++id) {
    EXPECT_TRUE(box.serves(fmt::format("community_member_id={}", id))) << id;
  }

  // The same list from the Admin API, a day later: 2 has left, 4 has come.
  const auto page = [](int number, std::string_view records) {
    return fmt::format(R"({{"page":{},"count":4,"records":[{}]}})", number, records);
  };
  const std::string first = box.write(
      "p1.json", page(1, R"({"id":1,"active":true,"name":"Ada"},{"id":2,"active":false})"));
  box.write("p2.json", page(2, R"({"id":4,"active":true},{"id":3,"active":true,"name":"Bob"})"));
  const std::string before = testing::read_bytes(box.daemon.roster_path());
  const Finished half = box.import(first);
  EXPECT_EQ(half.code, 1) << half.output;
  EXPECT_THAT(half.output, HasSubstr("pages are missing"));
  EXPECT_EQ(testing::read_bytes(box.daemon.roster_path()), before);
  // The second one through a pipe.
  const Finished whole = box.import(first + " - <" + (box.folder / "p2.json").string());
  ASSERT_EQ(whole.code, 0) << whole.output;
  EXPECT_THAT(whole.output, HasSubstr("retire  1: id:2"));
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_TRUE(box.serves("community_member_id=4"));
  EXPECT_TRUE(eventually([&] { return box.daemon.fetch("community_member_id=2").status == 410; }));
  EXPECT_TRUE(eventually([&] { return box.sandbox.tokens(2, "", "live").empty(); }))
      << "its tokens are revoked at Circle";
}

}  // namespace
}  // namespace rota::e2e
