#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

  Secret(Secret&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { let_go(); }

  // The clear bytes, valid until this object is destroyed, assigned to or moved from. The one way
  // out: a reviewer asks about every call.
  std::string_view reveal() const {
    return head_ == nullptr ? std::string_view() : std::string_view(head_->bytes(), head_->size);
  }
  std::size_t size() const { return head_ == nullptr ? 0 : head_->size; }
  bool empty() const { return size() == 0; }

  friend bool operator==(const Secret& a, const Secret& b);

 private:
  friend class SecretPtr;
  // The bytes stand behind it, in one allocation: there are many secrets.
  struct Head {
    std::atomic<std::uint32_t> owners = 1;
    std::uint32_t size = 0;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  explicit Secret(Head* head) : head_(head) {}
  Secret share() const;
  void let_go();

  Head* head_ = nullptr;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

// Several places share one token (record, table, a call in flight), on any thread; the last one to
// let go wipes it. As a std::shared_ptr<const Secret>, in half the size and one allocation.
class SecretPtr {
 public:
  SecretPtr() = default;
  SecretPtr(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std has it
  explicit SecretPtr(Secret&& secret);
  SecretPtr(const SecretPtr& other) : secret_(other.secret_.share()) {}
  SecretPtr(SecretPtr&&) noexcept = default;
  SecretPtr& operator=(const SecretPtr& other) {
    secret_ = other.secret_.share();
    return *this;
  }
  SecretPtr& operator=(SecretPtr&&) noexcept = default;
  ~SecretPtr() = default;

  // These two only if it is not null.
  const Secret& operator*() const { return secret_; }
  const Secret* operator->() const { return &secret_; }
  explicit operator bool() const { return secret_.head_ != nullptr; }
  void reset() { secret_ = Secret(); }
  // Whether both are the same object, or null.
  friend bool operator==(const SecretPtr& a, const SecretPtr& b) {
    return a.secret_.head_ == b.secret_.head_;
  }

 private:
  Secret secret_;
};

inline SecretPtr make_secret(std::string_view bytes) { return SecretPtr(Secret(bytes)); }

}  // namespace rota

template <>
struct fmt::formatter<rota::Secret> {
  formatter() = delete;
};
