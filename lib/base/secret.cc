#include "base/secret.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace rota {

void wipe(std::span<char> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

void wipe(std::string& text) {
  text.resize(text.capacity());
  wipe(std::span<char>(text));
  text.clear();
}

Secret::Secret(std::string_view bytes)
    : bytes_(std::make_unique_for_overwrite<char[]>(bytes.size())), size_(bytes.size()) {
  std::ranges::copy(bytes, bytes_.get());  // not memcpy(): an empty view may point nowhere
}

Secret Secret::take(std::string&& bytes) {
  Secret result{std::string_view(bytes)};
  wipe(bytes);
  return result;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    clear();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { clear(); }

void Secret::clear() {
  if (bytes_) wipe({bytes_.get(), size_});
  bytes_.reset();
  size_ = 0;
}

bool operator==(const Secret& a, const Secret& b) {
  if (&a == &b) return true;
  return a.size_ == b.size_ && sodium_memcmp(a.bytes_.get(), b.bytes_.get(), a.size_) == 0;
}

}  // namespace rota
