#pragma once

#include <string_view>

#include "base/result.h"

namespace rota {

// Writes the whole text; blocks, also on a descriptor that is set to O_NONBLOCK. kFull: the reader
// of the pipe or socket is gone. kIo: any other failure, such as a full disk.
Result<void> write_all(int descriptor, std::string_view text);

// Blocks until the descriptor has one of poll()'s `events`, or an error. Has no timeout.
void wait_for(int descriptor, short events);

}  // namespace rota
