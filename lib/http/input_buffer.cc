#include "http/input_buffer.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/secret.h"

namespace rota {

InputBuffer::~InputBuffer() { wipe(std::span(bytes_).subspan(begin_, end_ - begin_)); }

std::span<char> InputBuffer::room() {
  if (begin_ != 0) {
    const std::size_t end = end_;
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    wipe(std::span(bytes_).subspan(end_, end - end_));
  }
  return std::span(bytes_).subspan(end_);
}

void InputBuffer::added(std::size_t count) {
  ROTA_CHECK(count <= bytes_.size() - end_);
  end_ += count;
}

void InputBuffer::consume(std::size_t count) {
  ROTA_CHECK(count <= end_ - begin_);
  wipe(std::span(bytes_).subspan(begin_, count));
  begin_ += count;
}

}  // namespace rota
