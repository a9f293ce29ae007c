#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace rota {

// Bytes on their way out, tokens among them. The buffer wipes bytes that it consumes, moves when it
// grows, or still has when it is destroyed. Loop thread only.
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

  // `bytes` must not point into this buffer. Has no limit of its own: kOutputBytesMax is the
  // caller's.
  void append(std::string_view bytes);
  // Drops the first `count` bytes. Aborts if there are fewer.
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
