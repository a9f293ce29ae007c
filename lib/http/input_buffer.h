#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "http/limits.h"

namespace rota {

// The bytes of one connection that were received and not taken yet, at most kInputBytesMax of them.
// Bytes come in behind the others and are taken from the front. It allocates nothing. Loop thread
// only.
class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  // Valid until the next room().
  std::string_view data() const { return {bytes_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  bool full() const { return end_ - begin_ == bytes_.size(); }

  // All the room there is, in one piece; empty if the buffer is full. Moves the bytes to the front,
  // so views into data() end. The caller writes there and says by added() how much.
  std::span<char> room();
  // The first `count` bytes of room() are received; no more than it has.
  void added(std::size_t count);
  // Takes the first `count` bytes; no more than there are.
  void consume(std::size_t count);

 private:
  std::array<char, kInputBytesMax> bytes_;  // not initialised
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace rota
