#include "http/buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/secret.h"
#include "http/limits.h"

namespace rota {
namespace {

constexpr std::size_t kCapacityMin = 2 * 1024;

}  // namespace

Buffer::~Buffer() { wipe({bytes_.get() + begin_, end_ - begin_}); }

void Buffer::append(std::string_view bytes) {
  if (capacity_ - end_ < bytes.size()) grow(bytes.size());
  std::memcpy(bytes_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Buffer::consume(std::size_t count) {
  ROTA_CHECK(count <= size());
  wipe({bytes_.get() + begin_, count});
  begin_ += count;
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  if (capacity_ > kOutputBytesKept) {
    bytes_.reset();
    capacity_ = 0;
  }
}

void Buffer::grow(std::size_t extra) {
  const std::size_t live = size();
  const std::size_t wanted = std::max({kCapacityMin, 2 * capacity_, live + extra});
  auto bytes = std::make_unique_for_overwrite<char[]>(wanted);
  if (live != 0) {
    std::memcpy(bytes.get(), bytes_.get() + begin_, live);
    wipe({bytes_.get() + begin_, live});
  }
  bytes_ = std::move(bytes);
  capacity_ = wanted;
  begin_ = 0;
  end_ = live;
}

}  // namespace rota
