#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace rota {

// Owns a file descriptor and closes it.
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

// The error "PATH: WHAT: Permission denied" for the errno `code`. kConfig if the path is wrong or
// we have no right to it, kFull if there is no space, otherwise kIo.
std::unexpected<Error> os_failure(const std::filesystem::path& path, std::string_view what,
                                  int code);

// Whether this errno says that there is no more space. A quota or a size limit counts too.
bool means_full(int code);

// kConfig if the folder of `path` is missing or not a folder.
Result<void> require_directory_of(const std::filesystem::path& path);

// Which file a path leads to.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
// Nullopt if there is no such file, or we may not look at it.
std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

// What a write to a file changes. Nullopt as above.
struct FileTrace {
  off_t size = 0;
  WallTime written_at;
};
std::optional<FileTrace> trace_of(const std::filesystem::path& path);

// Syncs the folder of `path`, so that the names in it are durable.
Result<void> sync_directory_of(const std::filesystem::path& path);

}  // namespace rota
