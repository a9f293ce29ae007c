#include "cli/delivery_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "base/token_digest.h"
#include "cli/placed_file.h"
#include "settings/secret_files.h"

namespace rota::cli {
namespace {

constexpr std::string_view kNothing = "-";
constexpr std::size_t kRecordBytesMax = std::size_t{8} << 20U;
constexpr mode_t kMode = 0600;

}  // namespace

std::string record_text(const DeliveryRecord& record) {
  std::string text;
  for (const std::string& path : record.paths) {
    const auto told = record.told.find(path);
    text += fmt::format("{} {}\n",
                        told == record.told.end() ? kNothing : format_digest(told->second), path);
  }
  return text;
}

Result<DeliveryRecord> parse_record(std::string_view text) {
  DeliveryRecord record;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t blank = line.find(' ');
    if (end == std::string_view::npos || blank == std::string_view::npos ||
        !line.substr(blank + 1).starts_with('/') || has_control(line)) {
      return fail(ErrorKind::kCorrupt, "a line is not a digest and a path");
    }
    const std::string_view digest = line.substr(0, blank);
    const std::string path(line.substr(blank + 1));
    record.paths.insert(path);
    if (const auto told = parse_digest(digest)) {
      record.told.emplace(path, *told);
    } else if (digest != kNothing) {
      return fail(ErrorKind::kCorrupt, "a line is not a digest and a path");
    }
    text.remove_prefix(end + 1);
  }
  return record;
}

Result<DeliveryRecord> load_record(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return DeliveryRecord{};
  ROTA_ASSIGN(const std::string text, read_small_file(path, kRecordBytesMax));
  auto record = parse_record(text);
  if (record) return record;
  return fail(record.error().kind, fmt::format("{}: {}", path, record.error().message));
}

Result<void> save_record(const std::string& path, const DeliveryRecord& record) {
  return put({.path = path, .owner = ::geteuid(), .group = ::getegid(), .mode = kMode},
             Secret(record_text(record)));
}

}  // namespace rota::cli
