#pragma once

#include <string_view>

#include "base/result.h"

namespace rota {

// Writes all of it, and waits for a descriptor that takes nothing now. kFull: nobody reads it any
// more. kIo: it cannot be written, such as to a full disk.
Result<void> write_all(int descriptor, std::string_view text);

// Waits until poll() has `events`, or an error, of the descriptor.
void wait_for(int descriptor, short events);

}  // namespace rota
