#pragma once

#include <boost/json/memory_resource.hpp>
#include <cstddef>

namespace rota {

// Heap memory for a JSON parser that reads tokens: it is wiped before it is freed (P10). Parser and
// values hold a bare pointer to it, so it must outlive them.
class WipingResource final : public boost::json::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

}  // namespace rota
