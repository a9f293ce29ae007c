#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace rota {

// An open file descriptor, closed with this object.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~OpenFile();

  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// "PATH: WHAT: Permission denied". kConfig where a wrong path or its rights are the reason, kFull
// where there is no space, kIo otherwise. `code` is an errno.
std::unexpected<Error> os_failure(const std::filesystem::path& path, std::string_view what,
                                  int code);

// True for the codes by which a system says that there is no more space, quota and size limit of
// a file included.
bool means_full(int code);

// kConfig when the folder that shall hold `path` is missing or not a folder.
Result<void> require_directory_of(const std::filesystem::path& path);

// Which file a name leads to.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
// None: to no file that can be looked at.
std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

// Makes the names in the folder of `path` durable.
Result<void> sync_directory_of(const std::filesystem::path& path);

}  // namespace rota
