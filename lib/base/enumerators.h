#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace rota {

// All enumerators of an enum, found by the compiler, so that no list of them is written by hand and
// forgotten when one is added. The enumerators must be numbered without a gap from the first one
// on; the order in which they are written does not matter.

// Whether the enum has an enumerator with this number. It reads the name that the compiler gives to
// this function: "… kValue = rota::Lane::kIssue …", or "… kValue = (rota::Lane)7 …" if there is
// none.
template <auto kValue>
consteval bool is_enumerator() {
  static_assert(std::is_enum_v<decltype(kValue)>);
  constexpr std::string_view kName = __PRETTY_FUNCTION__;
  constexpr std::string_view kBefore = "kValue = ";
  constexpr std::size_t kAt = kName.find(kBefore);
  static_assert(kAt != std::string_view::npos, "the compiler writes the name in another way");
  return kName.at(kAt + kBefore.size()) != '(';
}

// The last enumerator of a row without a gap that begins with kFirst.
template <auto kFirst>
consteval auto last_enumerator() {
  static_assert(is_enumerator<kFirst>());
  constexpr auto kNext = static_cast<decltype(kFirst)>(std::to_underlying(kFirst) + 1);
  if constexpr (is_enumerator<kNext>()) {
    return last_enumerator<kNext>();
  } else {
    return kFirst;
  }
}

// All of that row, in the order of their numbers.
template <auto kFirst>
consteval auto enumerators_from() {
  constexpr auto kBegin = std::to_underlying(kFirst);
  constexpr auto kLast = std::to_underlying(last_enumerator<kFirst>());
  static_assert(kBegin >= 0);
  constexpr auto kCount = static_cast<std::size_t>(kLast) - static_cast<std::size_t>(kBegin) + 1;
  std::array<std::remove_const_t<decltype(kFirst)>, kCount> all{};
  for (std::size_t i = 0; i < kCount; ++i) {
    all[i] = static_cast<decltype(kFirst)>(kBegin + static_cast<decltype(kBegin)>(i));
  }
  return all;
}

}  // namespace rota
