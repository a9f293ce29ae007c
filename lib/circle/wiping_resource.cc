#include "circle/wiping_resource.h"

#include <new>

#include "base/check.h"
#include "base/secret.h"

namespace rota {

void* WipingResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  ROTA_CHECK(alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  return ::operator new(bytes);
}

// The alignment is ignored: Boost 1.81 frees keys with another one than it allocated them with.
void WipingResource::do_deallocate(void* memory, std::size_t bytes, std::size_t) {
  wipe({static_cast<char*>(memory), bytes});
  ::operator delete(memory);
}

}  // namespace rota
