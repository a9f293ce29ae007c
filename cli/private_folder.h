#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace rota::cli {

// A folder in memory, for this user alone, that goes with this process even if it is killed: a
// second process waits for its end and removes the folder then. If both are killed, the next
// create() of the user removes it. Blocks.
class PrivateFolder {
 public:
  // Below $XDG_RUNTIME_DIR, or /dev/shm. To be called before the process holds a secret or has a
  // second thread. kIo: neither is in memory, or the kernel refused.
  static Result<std::unique_ptr<PrivateFolder>> create();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder();  // removes it

  const std::string& path() const { return path_; }

 private:
  PrivateFolder(std::string path, Descriptor folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}
  Result<void> start_guard();

  const std::string path_;
  // Locked as long as this process or its guard lives, so that nobody takes it for abandoned.
  Descriptor folder_;
  Descriptor alive_;  // a pipe that nobody writes to; the guard reads its end
  pid_t guard_ = -1;
};

}  // namespace rota::cli
