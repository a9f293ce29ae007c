#include "base/secret.h"

#include <sodium.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include "base/check.h"

namespace rota {

void wipe(std::span<char> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

void wipe(std::string& text) {
  text.resize(text.capacity());
  wipe(std::span<char>(text));
  text.clear();
}

Secret::Secret(std::string_view bytes)
    : head_(new(::operator new(sizeof(Head) + bytes.size()))
                Head{.size = static_cast<std::uint32_t>(bytes.size())}) {
  ROTA_CHECK(bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  std::ranges::copy(bytes, head_->bytes());  // not memcpy(): an empty view may point nowhere
}

Secret Secret::take(std::string&& bytes) {
  Secret result{std::string_view(bytes)};
  wipe(bytes);
  return result;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    let_go();
    head_ = std::exchange(other.head_, nullptr);
  }
  return *this;
}

Secret Secret::share() const {
  if (head_ != nullptr) head_->owners.fetch_add(1, std::memory_order_relaxed);
  return Secret(head_);
}

void Secret::let_go() {
  Head* const head = std::exchange(head_, nullptr);
  // What the other owners read comes before this one's wiping.
  if (head == nullptr || head->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  wipe({head->bytes(), head->size});
  std::destroy_at(head);
  ::operator delete(head);
}

SecretPtr::SecretPtr(Secret&& secret) : secret_(std::move(secret)) {
  if (secret_.head_ == nullptr) secret_ = Secret(std::string_view());  // empty, but not null
}

bool operator==(const Secret& a, const Secret& b) {
  if (&a == &b) return true;
  return a.size() == b.size() && sodium_memcmp(a.reveal().data(), b.reveal().data(), a.size()) == 0;
}

}  // namespace rota
