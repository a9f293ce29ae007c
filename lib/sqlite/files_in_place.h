#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "base/result.h"
#include "sqlite/database.h"
#include "sqlite/files.h"

namespace rota {

// The files that SQLite has open: the database and its write-ahead log. Finds out when somebody
// else moves, removes, replaces or overwrites one of them. Then nothing counts as committed.
//
// While rotad runs, only its own connection writes to them. So after everything that the connection
// does, note_own_writes() remembers how they are, and what looks different later is somebody else's
// work. It opens no file: to close one would release SQLite's locks on it. One thread at a time.
class FilesInPlace {
 public:
  // The database at `path`, absolute, has been read: its log exists from then on.
  void remember(const std::filesystem::path& path, const Database& database);
  // `database` may have written. A file that no longer begins as SQLite's begins is not ours.
  void note_own_writes(const Database& database);
  // kIo unless the files at their paths are those that SQLite has open, and as they were noted.
  Result<void> require(const Database& database) const;
  // Whether a file is in its place, but somebody else has written to it.
  bool overwritten(const Database& database) const;

 private:
  struct File {
    std::filesystem::path path;
    DatabasePart part = DatabasePart::kDatabase;
    FileIdentity identity;
    FileTrace trace{};
    FileHead head{};
  };
  static bool is_intact(const File& file, const Database& database);

  std::vector<File> files_;
};

}  // namespace rota
