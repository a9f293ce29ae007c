#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rota {

// Overwrites memory so that the compiler cannot leave it out.
void wipe(std::span<char> bytes);
// Wipes the whole capacity of a string, what a shrink left behind included, and empties it.
void wipe(std::string& text);

// Bytes that must not leave by accident: a token, a key, a request body that holds one. Move-only,
// wiped on destruction and when moved from; it cannot be formatted or streamed, and is compared in
// constant time. Its bytes never move, so that no copy stays behind in freed memory.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);
  // Takes the bytes and wipes the string that they came in.
  static Secret take(std::string&& bytes);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // The clear bytes, valid while this object lives. The one way out: name it in review.
  std::string_view reveal() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend bool operator==(const Secret& a, const Secret& b);

 private:
  void clear();

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

// Many places hold one token (record, table, a call in flight); the last of them wipes it.
using SecretPtr = std::shared_ptr<const Secret>;

inline SecretPtr make_secret(std::string_view bytes) {
  return std::make_shared<const Secret>(bytes);
}

}  // namespace rota

template <>
struct fmt::formatter<rota::Secret> {
  formatter() = delete;
};
