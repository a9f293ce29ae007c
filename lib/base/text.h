#pragma once

#include <cstddef>
#include <string>

namespace rota {

// At most so many bytes of it, and "…" where that is not all; no character of UTF-8 is cut through.
std::string shortened(std::string text, std::size_t bytes_max);

}  // namespace rota
