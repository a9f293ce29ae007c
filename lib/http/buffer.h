#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace rota {

// Bytes on their way out, tokens among them: whatever leaves the buffer is wiped in it, be it sent,
// moved by growth or dropped.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  // Valid until the next append() or consume().
  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void append(std::string_view bytes);
  // Drops the first `count` bytes; no more than there are.
  void consume(std::size_t count);
  std::size_t capacity() const { return capacity_; }

 private:
  void grow(std::size_t extra);

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace rota
