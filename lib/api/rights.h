#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/enumerators.h"

namespace rota {

// What a grant allows its holder to do with the members that it names.
enum class Right {
  kFetch,    // get their tokens
  kEnrol,    // make anybody a member; only together with members = ["*"]
  kSignOut,  // have their access tokens revoked
  kRemove,   // end the enrolments that the holder has made
};
inline constexpr auto kRights = enumerators_from<Right::kFetch>();

// A set of rights. A plain value.
class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(std::initializer_list<Right> rights) {
    for (const Right right : rights) add(right);
  }

  constexpr void add(Right right) { bits_ |= bit(right); }
  constexpr bool has(Right right) const { return (bits_ & bit(right)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const Rights&) const = default;

 private:
  static constexpr std::uint32_t bit(Right right) {
    return std::uint32_t{1} << static_cast<std::uint32_t>(right);
  }

  std::uint32_t bits_ = 0;
};

}  // namespace rota
