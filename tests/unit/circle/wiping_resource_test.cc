#include "circle/wiping_resource.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string_view>

namespace rota {
namespace {

constexpr std::string_view kToken = "a-token-that-must-not-stay-behind";
constexpr std::size_t kAlign = alignof(std::max_align_t);

char* put(WipingResource& resource, std::size_t bytes) {
  char* const memory = static_cast<char*>(resource.allocate(bytes, kAlign));
  std::ranges::copy(kToken, memory);
  return memory;
}

TEST(WipingResourceTest, P10ItsOwnMemoryIsWipedAtItsEnd) {
  alignas(WipingResource) std::array<char, sizeof(WipingResource)> place{};
  auto* const resource = new (place.data()) WipingResource;
  char* const memory = put(*resource, 100);
  resource->deallocate(memory, 100, kAlign);
  const auto holds_token = [&place] {
    return std::string_view(place.data(), place.size()).find(kToken) != std::string_view::npos;
  };
  EXPECT_TRUE(holds_token()) << "it comes from the object itself";
  std::destroy_at(resource);
  EXPECT_FALSE(holds_token());
}

TEST(WipingResourceTest, NoTwoPiecesOverlap) {
  constexpr std::size_t kBytes = 48;
  WipingResource resource;
  std::array<char*, 2 * WipingResource::kOwnBytes / kBytes> pieces{};  // some from the heap
  for (char*& piece : pieces) {
    piece = static_cast<char*>(resource.allocate(kBytes, kAlign));
    std::ranges::fill_n(piece, kBytes, static_cast<char>(&piece - pieces.data()));
  }
  for (char*& piece : pieces) {
    EXPECT_EQ(std::ranges::count(piece, piece + kBytes, static_cast<char>(&piece - pieces.data())),
              static_cast<std::ptrdiff_t>(kBytes));
    resource.deallocate(piece, kBytes, kAlign);
  }
}

TEST(WipingResourceTest, GivesWhatIsLargerThanItself) {
  WipingResource resource;
  char* const memory = put(resource, 4 * WipingResource::kOwnBytes);
  EXPECT_EQ(std::string_view(memory, kToken.size()), kToken);
  resource.deallocate(memory, 4 * WipingResource::kOwnBytes, kAlign);
}

}  // namespace
}  // namespace rota
