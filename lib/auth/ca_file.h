#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace rota {

// Tells whether a file is still the one that was read, without reading it again.
struct CaFileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  bool operator==(const CaFileStamp&) const = default;
};

// The certificates of a ca_file when it was read.
struct CaFile {
  std::string pem;
  CaFileStamp stamp;
};

// Reads the certificates to trust. kConfig, with a message that names ca_file, if the path is not
// absolute, or if the file is missing, not regular, not readable, empty, too large, without a
// certificate, or has one that does not parse. Blocks on the disk. Any thread may call it.
Result<std::shared_ptr<const CaFile>> read_ca_file(const std::string& path);

// The stamp of the file that is there now. kConfig if there is none, or it cannot be reached. The
// path must be absolute.
Result<CaFileStamp> stamp_of_ca_file(const std::string& path);

}  // namespace rota
