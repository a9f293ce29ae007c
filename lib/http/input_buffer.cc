#include "http/input_buffer.h"

#include <cstring>
#include <utility>

#include "base/check.h"

namespace rota {

std::span<char> InputBuffer::room() {
  if (begin_ != 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  return std::span(bytes_).subspan(end_);
}

void InputBuffer::added(std::size_t count) {
  ROTA_CHECK(count <= bytes_.size() - end_);
  end_ += count;
}

void InputBuffer::consume(std::size_t count) {
  ROTA_CHECK(count <= end_ - begin_);
  begin_ += count;
}

}  // namespace rota
