#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace rota {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "rota: check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace rota
