#pragma once

#include <limits>
#include <optional>
#include <type_traits>

namespace rota {

// The value that stands for none in a SmallOptional: of a row's id zero, of a number the greatest,
// of a time the last one. None of them is ever a real one.
template <class T>
constexpr T none_of() {
  if constexpr (std::is_enum_v<T>) {
    return T{};
  } else if constexpr (std::is_integral_v<T>) {
    return std::numeric_limits<T>::max();
  } else {
    return T::max();
  }
}

// An optional time, id or number that is no larger than the value itself, where there are many. A
// std::optional takes 8 bytes more.
template <class T>
class SmallOptional {
 public:
  constexpr SmallOptional() = default;
  constexpr SmallOptional(std::nullopt_t) {}  // NOLINT(google-explicit-constructor): as std has it
  // NOLINTNEXTLINE(google-explicit-constructor): as std has it
  constexpr SmallOptional(T value) : value_(value) {}
  // NOLINTNEXTLINE(google-explicit-constructor): as std has it
  constexpr SmallOptional(const std::optional<T>& value) : value_(value.value_or(none_of<T>())) {}

  constexpr bool has_value() const { return value_ != none_of<T>(); }
  constexpr explicit operator bool() const { return has_value(); }
  // Only if there is a value.
  constexpr const T& operator*() const { return value_; }
  constexpr T value_or(T other) const { return has_value() ? value_ : other; }
  constexpr std::optional<T> optional() const {
    return has_value() ? std::optional(value_) : std::nullopt;
  }
  constexpr void reset() { value_ = none_of<T>(); }

  constexpr bool operator==(const SmallOptional&) const = default;

 private:
  T value_ = none_of<T>();
};

}  // namespace rota
