#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace rota::cli {

// Copies the backup at `from`, which the daemon has made, to the file `to`, and removes it there. A
// file at `to` is replaced once the copy is complete and on the disk: at every moment it is the
// earlier file or the whole backup. It gets mode 0600. Blocks on the disk.
//   kInvalid  `from` is not the file that the daemon told of: it is missing, or not `bytes` long
//   kIo       anything else
// No message repeats `to` if it may be a secret.
Result<void> take_backup(const std::string& from, std::uint64_t bytes, const std::string& to);

}  // namespace rota::cli
