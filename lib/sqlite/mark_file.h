#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "sqlite/bound_bytes.h"
#include "sqlite/files.h"

namespace rota {

// What this machine knows of its database, in a file beside it: which one it is, and how many
// commits it had. So a start sees that an older copy was put in its place. Written after each
// commit and never synced: after a power cut it may tell of fewer commits than there are, never of
// more. It is a help and no part of what is durable: where it cannot be read or written, Rota goes
// on without it.
//
//   file := "rota database " hex-digit[32] " commit " digit[20] "\n"
class MarkFile {
 public:
  struct Mark {
    DatabaseId database{};
    std::int64_t commit = 0;
  };

  // Opens `<database>.mark`, making it where there is none.
  explicit MarkFile(const std::filesystem::path& database);

  // None: there was none, or nobody can read it.
  std::optional<Mark> read() const;
  void write(const Mark& mark) const;

  // No commit number that a Rota reaches is larger.
  static constexpr std::int64_t kCommitMax = std::int64_t{1} << 53;

 private:
  OpenFile file_;
};

}  // namespace rota
