#include "sqlite/files_in_place.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace rota {
namespace {

// Some network file systems give a file its time only after the write.
constexpr Duration kTimeSlack = std::chrono::seconds{3};

bool begins_with(const FileHead& head, std::string_view magic) {
  return std::ranges::equal(std::span(head).first(magic.size()), magic, {},
                            [](unsigned char byte) { return static_cast<char>(byte); });
}

// SQLite's file format, 1.3 and 4.1. The log is empty after a checkpoint.
bool begins_as_sqlites(DatabasePart part, const FileTrace& trace, const FileHead& head) {
  using std::string_view_literals::operator""sv;
  switch (part) {
    case DatabasePart::kDatabase:
      return begins_with(head, "SQLite format 3\0"sv);
    case DatabasePart::kLog:
      return trace.size == 0 || begins_with(head, "\x37\x7f\x06\x82"sv) ||
             begins_with(head, "\x37\x7f\x06\x83"sv);
  }
  return false;
}

}  // namespace

void FilesInPlace::remember(const std::filesystem::path& path, const Database& database) {
  std::filesystem::path log = path;
  log += "-wal";
  for (const auto& [file, part] :
       {std::pair{path, DatabasePart::kDatabase}, std::pair{log, DatabasePart::kLog}}) {
    if (const auto identity = identity_of(file)) {
      files_.push_back({.path = file, .part = part, .identity = *identity});
    }
  }
  note_own_writes(database);
}

void FilesInPlace::note_own_writes(const Database& database) {
  for (File& file : files_) {
    const std::optional<FileTrace> trace = trace_of(file.path);
    const std::optional<FileHead> head = database.head_of(file.part);
    if (!trace || !head || identity_of(file.path) != file.identity) continue;
    if (!begins_as_sqlites(file.part, *trace, *head)) continue;
    file.trace = *trace;
    file.head = *head;
  }
}

bool FilesInPlace::is_intact(const File& file, const Database& database) {
  const std::optional<FileTrace> trace = trace_of(file.path);
  return trace && trace->size == file.trace.size &&
         std::chrono::abs(trace->written_at - file.trace.written_at) <= kTimeSlack &&
         database.head_of(file.part) == file.head;
}

bool FilesInPlace::overwritten(const Database& database) const {
  return std::ranges::any_of(files_, [&database](const File& file) {
    return identity_of(file.path) == file.identity && !is_intact(file, database);
  });
}

Result<void> FilesInPlace::require(const Database& database) const {
  for (const File& file : files_) {
    if (identity_of(file.path) != file.identity) {
      return fail(ErrorKind::kIo,
                  file.path.string() +
                      " was moved, removed or replaced while rotad has it open: nothing counts as "
                      "committed until it is back in its place or rotad is restarted");
    }
    if (!is_intact(file, database)) {
      return fail(ErrorKind::kIo,
                  file.path.string() +
                      " was overwritten or cut while rotad has it open: nothing counts as "
                      "committed any more. Stop rotad, restore the database, and start rotad");
    }
  }
  return {};
}

}  // namespace rota
