#pragma once

#include <string>

#include "base/result.h"

namespace rota {

// kConfig if somebody else than root and this process's user can write to the file, or to a folder
// on the way to it, links included: he could replace the file. A folder with the sticky bit, such
// as /tmp, is good as long as what is in it belongs to root or to us. The message names the place
// and how to mend it. A file that does not exist is for whoever opens it to report. Blocks on the
// disk.
Result<void> check_only_ours(const std::string& path);

}  // namespace rota
