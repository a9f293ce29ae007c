#include "circle/wiping_resource.h"

#include <algorithm>
#include <functional>
#include <new>

#include "base/check.h"
#include "base/secret.h"

namespace rota {

WipingResource::~WipingResource() { wipe({own_.data(), used_}); }

void* WipingResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  ROTA_CHECK(alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  constexpr std::size_t kStep = alignof(std::max_align_t);
  if (bytes > kOwnBytes - used_) return ::operator new(bytes);
  char* const memory = own_.data() + used_;
  used_ = std::min(kOwnBytes, (used_ + bytes + kStep - 1) / kStep * kStep);
  return memory;
}

// The alignment is ignored: Boost 1.81 frees keys with another one than it allocated them with.
// What is the object's own is wiped with it.
void WipingResource::do_deallocate(void* memory, std::size_t bytes, std::size_t) {
  char* const first = static_cast<char*>(memory);
  if (!std::less<>{}(first, own_.data()) && std::less<>{}(first, own_.data() + kOwnBytes)) return;
  wipe({first, bytes});
  ::operator delete(memory);
}

}  // namespace rota
