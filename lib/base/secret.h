#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rota {

// Overwrites memory with zeros; the compiler cannot optimize this away.
void wipe(std::span<char> bytes);
// Wipes the whole capacity of a string, including what a shrink left behind, and empties it.
void wipe(std::string& text);

// Bytes that must not leave by accident: a token, a key, a request body that holds one (P10). They
// are wiped when the object is destroyed and when another value is moved over them. They never move
// in memory, so no copy stays behind in freed memory; a moved-from secret is empty. A secret cannot
// be copied, formatted or streamed. Secrets of one size compare in constant time.
class Secret {
 public:
  Secret() = default;
  // Copies the bytes; the caller's copy stays as it is.
  explicit Secret(std::string_view bytes);
  // Copies the bytes and wipes the string that they came in.
  static Secret take(std::string&& bytes);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // The clear bytes, valid until this object is destroyed, assigned to or moved from. The one way
  // out: a reviewer asks about every call.
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

// Several places share one token (record, table, a call in flight); the last one to let go wipes
// it.
using SecretPtr = std::shared_ptr<const Secret>;

inline SecretPtr make_secret(std::string_view bytes) {
  return std::make_shared<const Secret>(bytes);
}

}  // namespace rota

template <>
struct fmt::formatter<rota::Secret> {
  formatter() = delete;
};
