#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sqlite/bound_bytes.h"
#include "sqlite/files.h"
#include "sqlite/sealer.h"

namespace rota {

// What a backup says of itself, in clear at its beginning. Nobody without the store key can change
// it unnoticed, but only BackupReader::unseal() notices.
struct BackupHead {
  WallTime made_at;            // on the clock of the machine that made it
  std::string rota;            // the version of Rota
  std::int64_t schema = 0;     // of the database
  std::int64_t community = 0;  // Circle's id; 0: no member had one
  std::int64_t members = 0;
  std::int64_t commit = 0;  // how many commits the database had
  DatabaseId database{};
  KeyId key{};  // of the store key

  bool operator==(const BackupHead&) const = default;
};

// As it stands in the file, with the empty line at its end.
std::string backup_head_text(const BackupHead& head);
// kCorrupt if `text`, up to its empty line, is not what backup_head_text() writes.
Result<BackupHead> parse_backup_head(std::string_view text);

// Writes a backup of a file, in steps. One thread at a time. Errors name the file: kFull, kIo.
class BackupWriter {
 public:
  // Makes the file `to` anew (0600), and removes it again unless it gets complete.
  static Result<BackupWriter> begin(const Sealer& sealer, const BackupHead& head,
                                    const std::filesystem::path& from,
                                    const std::filesystem::path& to);
  BackupWriter(BackupWriter&& other) noexcept;
  BackupWriter& operator=(BackupWriter&&) = delete;
  ~BackupWriter();

  // Seals about this many bytes more. True: the file is complete. It is not synced.
  Result<bool> step(std::size_t bytes);
  std::uint64_t bytes_written() const { return written_; }

 private:
  struct Stream;
  BackupWriter(std::string head, std::filesystem::path to);
  Result<void> write(std::string_view bytes);

  const std::string head_;
  std::filesystem::path to_;  // empty: nothing to remove
  OpenFile in_;
  OpenFile out_;
  std::unique_ptr<Stream> stream_;
  std::uint64_t left_ = 0;  // bytes of the source that are not sealed yet
  std::uint64_t written_ = 0;
};

// A backup that is open for reading. Errors name the file.
class BackupReader {
 public:
  // kConfig: no such file, or no right to it. kCorrupt: it is no backup. kIo.
  static Result<BackupReader> open(const std::filesystem::path& path);

  const BackupHead& head() const { return head_; }
  // Writes what the backup holds to the file `to`, made anew (0600) and synced, and removes it
  // again after a failure. Call it once.
  //   kConfig   it was sealed with another store key
  //   kCorrupt  it was cut off or changed: then nothing of it is believed
  //   kFull, kIo
  Result<void> unseal(const Sealer& sealer, const std::filesystem::path& to) const;

 private:
  BackupReader(std::filesystem::path path, OpenFile file, std::string text, BackupHead head)
      : path_(std::move(path)),
        file_(std::move(file)),
        head_text_(std::move(text)),
        head_(std::move(head)) {}
  Result<void> unseal_into(const Sealer& sealer, const OpenFile& out,
                           const std::filesystem::path& to) const;

  std::filesystem::path path_;
  OpenFile file_;
  std::string head_text_;
  BackupHead head_;
};

}  // namespace rota
