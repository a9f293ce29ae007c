#pragma once

#include <array>
#include <boost/json/memory_resource.hpp>
#include <cstddef>

namespace rota {

// Memory for a JSON parser that reads tokens: it is wiped before it is freed (P10). The first
// kOwnBytes come from the object itself, since most texts are short, and the others from the heap.
// Parser and values hold a bare pointer to it, so it must outlive them. For one thread.
class WipingResource final : public boost::json::memory_resource {
 public:
  static constexpr std::size_t kOwnBytes = 2'048;

  WipingResource() = default;
  ~WipingResource() override;
  WipingResource(const WipingResource&) = delete;
  WipingResource& operator=(const WipingResource&) = delete;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  // Not set to zero at first: only what was handed out is read or wiped.
  alignas(std::max_align_t) std::array<char, kOwnBytes> own_;
  std::size_t used_ = 0;  // of own_
};

}  // namespace rota
