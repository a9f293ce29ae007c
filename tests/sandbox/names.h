#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rota::sandbox {

// One row of a table that gives each value of an enum its name on the wire and the command line.
template <class E>
struct Name {
  E value;
  std::string_view name;
};

template <class E, std::size_t N>
constexpr std::string_view name_of(const std::array<Name<E>, N>& table, E value) {
  for (const Name<E>& row : table) {
    if (row.value == value) return row.name;
  }
  return "?";
}

template <class E, std::size_t N>
constexpr std::optional<E> value_of(const std::array<Name<E>, N>& table, std::string_view name) {
  for (const Name<E>& row : table) {
    if (row.name == name) return row.value;
  }
  return std::nullopt;
}

// "a, b or c", for error messages.
template <class E, std::size_t N>
std::string choices(const std::array<Name<E>, N>& table) {
  std::string text;
  for (std::size_t i = 0; i < N; ++i) {
    if (i > 0) text += i + 1 == N ? " or " : ", ";
    text += table[i].name;
  }
  return text;
}

}  // namespace rota::sandbox
