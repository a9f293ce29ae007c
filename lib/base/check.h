#pragma once

namespace rota {

// Prints the broken condition to stderr and aborts. Never returns; used through ROTA_CHECK only.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace rota

// An assertion that stays on in every build: a broken one means a bug in Rota, never bad input.
#define ROTA_CHECK(condition)                               \
  do {                                                      \
    if (!(condition)) [[unlikely]] {                        \
      ::rota::check_failed(#condition, __FILE__, __LINE__); \
    }                                                       \
  } while (false)
