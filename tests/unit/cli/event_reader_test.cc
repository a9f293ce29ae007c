#include "cli/event_reader.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace rota::cli {
namespace {

using ::testing::ElementsAre;

class EventReaderTest : public ::testing::Test {
 protected:
  std::vector<std::string> seen;
  EventReader reader{[this](std::string_view event, std::string_view data) -> Result<void> {
    seen.push_back(std::string(event) + " " + std::string(data));
    if (data == "stop") return fail(ErrorKind::kIo, "stopped");
    return {};
  }};
};

TEST_F(EventReaderTest, ReadsEventsWhateverTheirPieces) {
  const std::string_view stream =
      ":\n\nevent: token\ndata: {\"a\":1}\n\nid: 7\ndata: x\nevent: retired\n\n:\n\nevent: "
      "token\n\n";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    seen.clear();
    for (std::size_t at = 0; at < stream.size(); at += size) {
      ASSERT_TRUE(reader.feed(stream.substr(at, size)));
    }
    EXPECT_THAT(seen, ElementsAre("token {\"a\":1}", "retired x")) << size;
  }
}

TEST_F(EventReaderTest, EndsAtTheTakersErrorAndAtAnEventWithoutEnd) {
  const auto stopped = reader.feed("data: stop\n\ndata: more\n\n");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "stopped");
  EXPECT_THAT(seen, ElementsAre(" stop"));

  EventReader endless([](std::string_view, std::string_view) { return Result<void>{}; });
  const std::string piece(100'000, 'x');
  int pieces = 0;
  while (endless.feed(piece)) ASSERT_LT(++pieces, 100);
  EXPECT_EQ(pieces, 10);
}

}  // namespace
}  // namespace rota::cli
