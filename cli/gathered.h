#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"

namespace rota::cli {

// Collects text that may have tokens. A growing string would leave copies of them in freed memory,
// so this one wipes its old buffer whenever it grows. The destructor wipes it too.
class Gathered {
 public:
  explicit Gathered(std::size_t bytes_max) : bytes_max_(bytes_max) { text_.reserve(kFirstBytes); }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;
  ~Gathered() { wipe(text_); }

  // False: that would be more than bytes_max, and nothing was added.
  bool add(std::string_view bytes) {
    if (text_.size() + bytes.size() > bytes_max_) return false;
    if (text_.size() + bytes.size() > text_.capacity()) {
      std::string larger;
      larger.reserve(2 * (text_.size() + bytes.size()));
      larger.append(text_);
      std::swap(larger, text_);
      wipe(larger);
    }
    text_.append(bytes);
    return true;
  }
  std::string_view text() const { return text_; }
  void drop_front(std::size_t count) {
    const std::size_t rest = text_.size() - count;
    text_.copy(text_.data(), rest, count);
    wipe({text_.data() + rest, count});
    text_.resize(rest);
  }
  Secret take() { return Secret::take(std::move(text_)); }

 private:
  static constexpr std::size_t kFirstBytes = std::size_t{64} << 10U;

  const std::size_t bytes_max_;
  std::string text_;
};

}  // namespace rota::cli
