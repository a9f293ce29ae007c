#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace rota {

// Checks that only root and the user of this process can change or replace the file at `path`, and
// `service`, for a program that looks at the files of another user's service.
// kConfig: others can write to it or to a folder on the way to it (symbolic links are followed);
// the message has the place and the command that fixes it. A folder with the sticky bit, such as
// /tmp, is accepted if what it holds on that way belongs to root or to us. A file that does not
// exist is no error here: the caller sees that when it opens it. Blocks on the disk.
Result<void> check_only_ours(const std::string& path, std::optional<uid_t> service = {});

}  // namespace rota
