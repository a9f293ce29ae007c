#include "http/input_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace rota {
namespace {

std::size_t receive(InputBuffer& buffer, std::string_view bytes) {
  const std::span<char> room = buffer.room();
  const std::size_t count = std::min(room.size(), bytes.size());
  std::ranges::copy(bytes.substr(0, count), room.begin());
  buffer.added(count);
  return count;
}

TEST(InputBuffer, GivesBytesInTheOrderInWhichTheyCame) {
  InputBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  receive(buffer, "first second");
  buffer.consume(6);
  EXPECT_EQ(buffer.data(), "second");
  receive(buffer, " third");
  EXPECT_EQ(buffer.data(), "second third");
  buffer.consume(12);
  EXPECT_TRUE(buffer.empty());
}

TEST(InputBuffer, HasRoomForAllButWhatIsNotTaken) {
  InputBuffer buffer;
  const std::string all(kInputBytesMax, 'x');
  EXPECT_EQ(buffer.room().size(), kInputBytesMax);
  EXPECT_EQ(receive(buffer, std::string_view(all).substr(1)), kInputBytesMax - 1);
  EXPECT_FALSE(buffer.full());
  EXPECT_EQ(receive(buffer, "yz"), 1U);
  EXPECT_TRUE(buffer.full());
  EXPECT_TRUE(buffer.room().empty());
  buffer.consume(3);
  EXPECT_EQ(buffer.room().size(), 3U);
  EXPECT_EQ(receive(buffer, "abcd"), 3U);
  EXPECT_TRUE(buffer.data().ends_with("xyabc"));
}

// How often the text stands anywhere in the buffer's memory.
std::size_t copies_of(std::string_view text, const InputBuffer& buffer) {
  const std::string_view memory(reinterpret_cast<const char*>(&buffer), sizeof(buffer));
  std::size_t count = 0;
  for (auto at = memory.find(text); at != std::string_view::npos; at = memory.find(text, at + 1)) {
    ++count;
  }
  return count;
}

TEST(InputBuffer, P10WipesWhatWasConsumed) {
  InputBuffer buffer;
  receive(buffer, "a token, next");
  EXPECT_EQ(copies_of("token", buffer), 1U);
  buffer.consume(9);
  EXPECT_EQ(copies_of("token", buffer), 0U);
}

TEST(InputBuffer, P10WipesThePlaceThatBytesMovedAwayFrom) {
  InputBuffer buffer;
  receive(buffer, "a request of some length, a token");
  buffer.consume(26);
  EXPECT_FALSE(buffer.room().empty());  // moves the rest to the front
  EXPECT_EQ(buffer.data(), "a token");
  EXPECT_EQ(copies_of("a token", buffer), 1U);
}

TEST(InputBufferDeathTest, NeverGivesMoreThanItHas) {
  InputBuffer buffer;
  receive(buffer, "abc");
  EXPECT_DEATH(buffer.consume(4), "count <=");
  EXPECT_DEATH(buffer.added(kInputBytesMax), "count <=");
}

}  // namespace
}  // namespace rota
