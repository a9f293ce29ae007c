#include "base/secret.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <ostream>
#include <type_traits>

// What operator delete last saw of the bytes of one secret, at the moment of their release.
namespace {
struct Watch {
  const char* bytes = nullptr;
  std::size_t size = 0;
  bool released = false;
  bool all_zero = false;
};
Watch watch;

void release(void* block) noexcept {
  const char* const begin = static_cast<const char*>(block);
  if (block != nullptr && watch.bytes >= begin &&
      watch.bytes < begin + ::malloc_usable_size(block)) {
    watch.released = true;
    watch.all_zero =
        std::all_of(watch.bytes, watch.bytes + watch.size, [](char c) { return c == 0; });
    watch.bytes = nullptr;
  }
  std::free(block);
}
}  // namespace

void* operator new(std::size_t size) {
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }

namespace rota {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

constexpr std::string_view kToken = "eyJhbGciOiJIUzI1NiJ9.member.token";

void watch_bytes_of(const Secret& secret) {
  watch = Watch{.bytes = secret.reveal().data(), .size = secret.size()};
}

TEST(Wipe, P10OverwritesEveryByte) {
  std::array<char, 32> bytes{};
  bytes.fill('x');
  wipe(std::span<char>(bytes).first(31));
  EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end() - 1, [](char c) { return c == 0; }));
  EXPECT_EQ(bytes.back(), 'x');
  wipe(std::span<char>());
}

TEST(Wipe, P10ReachesWhatAShrunkStringLeftBehind) {
  std::string text(kToken);
  const std::size_t capacity = text.capacity();
  text.resize(3);  // the rest of the token is still in the buffer
  const char* buffer = text.data();
  wipe(text);
  ASSERT_TRUE(text.empty());
  ASSERT_EQ(text.data(), buffer);
  ASSERT_EQ(text.capacity(), capacity);
  EXPECT_TRUE(std::all_of(buffer, buffer + capacity, [](char c) { return c == 0; }));
}

TEST(Secret, P10IsWipedBeforeItsMemoryIsReleased) {
  {
    const Secret secret(kToken);
    watch_bytes_of(secret);
  }
  EXPECT_TRUE(watch.released);
  EXPECT_TRUE(watch.all_zero);
}

TEST(Secret, P10IsWipedWhenAnotherIsMovedOverIt) {
  Secret secret(kToken);
  watch_bytes_of(secret);
  secret = Secret("other");
  EXPECT_TRUE(watch.released);
  EXPECT_TRUE(watch.all_zero);
  EXPECT_EQ(secret.reveal(), "other");
}

TEST(Secret, P10MovesWithoutCopyingItsBytes) {
  Secret first(kToken);
  const char* bytes = first.reveal().data();
  const Secret second(std::move(first));
  EXPECT_EQ(second.reveal().data(), bytes);
  EXPECT_EQ(second.reveal(), kToken);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  EXPECT_EQ(first.reveal(), "");
}

TEST(Secret, P10SurvivesBeingMovedOntoItself) {
  Secret secret(kToken);
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.reveal(), kToken);
}

TEST(Secret, P10TakeWipesTheStringThatItCameIn) {
  std::string text(kToken);
  const char* buffer = text.data();
  const std::size_t capacity = text.capacity();
  const Secret secret = Secret::take(std::move(text));
  EXPECT_EQ(secret.reveal(), kToken);
  ASSERT_EQ(text.data(), buffer);  // NOLINT(bugprone-use-after-move): that is the promise
  EXPECT_TRUE(text.empty());
  EXPECT_TRUE(std::all_of(buffer, buffer + capacity, [](char c) { return c == 0; }));
}

TEST(Secret, P10ComparesByContent) {
  EXPECT_TRUE(Secret(kToken) == Secret(kToken));
  EXPECT_FALSE(Secret("abcd") == Secret("abce"));
  EXPECT_FALSE(Secret("abcd") == Secret("abc"));
  EXPECT_FALSE(Secret("") == Secret("a"));
  EXPECT_TRUE(Secret("") == Secret());
  EXPECT_TRUE(Secret() == Secret());
  EXPECT_TRUE(Secret(std::string_view()) == Secret());
  EXPECT_FALSE(Secret(std::string_view("a\0b", 3)) == Secret(std::string_view("a\0c", 3)));
}

TEST(Secret, P10CannotBeCopiedPrintedOrFormatted) {
  static_assert(!std::is_copy_constructible_v<Secret>);
  static_assert(!std::is_copy_assignable_v<Secret>);
  static_assert(std::is_nothrow_move_constructible_v<Secret>);
  static_assert(std::is_nothrow_move_assignable_v<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  static_assert(!fmt::is_formattable<Secret>::value);
  static_assert(Streamable<std::string> && !Streamable<Secret>);
}

TEST(SecretPtr, P10TheLastOwnerWipes) {
  SecretPtr first = make_secret(kToken);
  SecretPtr second = first;
  watch_bytes_of(*first);
  first.reset();
  EXPECT_FALSE(watch.released);
  EXPECT_EQ(second->reveal(), kToken);
  second.reset();
  EXPECT_TRUE(watch.released);
  EXPECT_TRUE(watch.all_zero);
}

}  // namespace
}  // namespace rota
