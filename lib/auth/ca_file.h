#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace rota {

// What tells whether a file is still the one that was read, without reading it.
struct CaFileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  bool operator==(const CaFileStamp&) const = default;
};

// The certificates of a ca_file as they were when it was read.
struct CaFile {
  std::string pem;
  CaFileStamp stamp;
};

// Reads the certificates that are to be trusted. kConfig, with a line that names ca_file, for a
// path that is not absolute, and for a file that is missing, not regular, not readable, empty, too
// large, without a certificate, or with one that does not parse. Thread-safe.
Result<std::shared_ptr<const CaFile>> read_ca_file(const std::string& path);

// The stamp of what is there now. kConfig as above.
Result<CaFileStamp> stamp_of_ca_file(const std::string& path);

}  // namespace rota
