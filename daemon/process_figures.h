#pragma once

#include <string>

#include "report/process_figures.h"

namespace rota {

// What the kernel says of this process now. `started_at` is the caller's. What cannot be read is
// zero. Loop thread: it reads files of /proc, which does not block.
ProcessFigures read_process_figures(WallTime started_at);
// This machine's name; empty if it has none.
std::string host_name();

}  // namespace rota
