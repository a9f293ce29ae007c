#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "http/limits.h"

namespace rota {

// The bytes of one connection that were received and not consumed yet, at most kInputBytesMax. They
// may hold a client's token, so they are wiped once they are consumed. It allocates nothing. Loop
// thread only.
class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer();

  // Valid until the next room().
  std::string_view data() const { return {bytes_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  bool full() const { return end_ - begin_ == bytes_.size(); }

  // All the free room, in one piece; empty if the buffer is full. Moves the bytes to the front, so
  // views into data() become invalid. The caller writes there, and then calls added().
  std::span<char> room();
  // The first `count` bytes of room() were received. Aborts if it has fewer.
  void added(std::size_t count);
  // Drops the first `count` bytes. Aborts if there are fewer.
  void consume(std::size_t count);

 private:
  std::array<char, kInputBytesMax> bytes_;  // not initialised
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace rota
