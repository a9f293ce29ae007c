#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "sqlite/bound_bytes.h"
#include "sqlite/files.h"

namespace rota {

// What this machine knows of its database, in a file beside it: which database it is, and how many
// commits it had. So a start notices that somebody put an older copy in its place. It is written
// after each commit and never synced: after a power cut it may tell of fewer commits than there
// are, never of more. Nothing durable depends on it: if it cannot be read or written, Rota goes on
// without it, and without that check.
//
//   file := "rota database " hex-digit[32] " commit " digit[20] "\n"
class MarkFile {
 public:
  struct Mark {
    DatabaseId database{};
    std::int64_t commit = 0;
  };

  // Opens `<database>.mark`, or makes it if there is none.
  explicit MarkFile(const std::filesystem::path& database);

  // Nullopt if there was no mark, or it cannot be read.
  std::optional<Mark> read() const;
  // Ignores failures.
  void write(const Mark& mark) const;

  // A larger commit number is a sign of damage: no Rota can have made so many commits.
  static constexpr std::int64_t kCommitMax = std::int64_t{1} << 53;

 private:
  OpenFile file_;
};

}  // namespace rota
