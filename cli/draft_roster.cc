#include "cli/draft_roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/import_files.h"
#include "settings/secret_files.h"

namespace rota::cli {
namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string name_of_file(const std::string& path) { return fs::path(path).filename().string(); }

Result<RosterFile> read_draft(const std::string& path) {
  auto text = read_small_file(path, kRosterBytesMax);
  if (!text) return fail(text.error().kind, without_secret_path(text.error().message, path));
  return RosterFile{shown_path(path), *std::move(text)};
}

Result<DraftRoster> beside_the_others(const std::string& folder,
                                      const std::vector<std::string>& drafts) {
  for (const std::string& draft : drafts) {
    if (is_roster_name(name_of_file(draft))) continue;
    return fail(ErrorKind::kInvalid,
                fmt::format("{}: rotad reads only files of {} that end in .toml and do not begin "
                            "with a dot",
                            shown_path(draft), folder));
  }
  ROTA_ASSIGN(std::vector<RosterFile> files,
              files_of_folder(folder, [&drafts](std::string_view name) {
                return std::ranges::find(drafts, name, name_of_file) != drafts.end();
              }));
  const std::size_t others = files.size();
  for (const std::string& draft : drafts) {
    ROTA_ASSIGN(RosterFile file, read_draft(draft));
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, [](const RosterFile& file) { return name_of_file(file.name); });
  return DraftRoster{
      .files = std::move(files),
      .of = fmt::format(
          "{} in {}, with {}", shown_path(drafts.front()), folder,
          others == 1 ? "the other file there" : fmt::format("the {} other files there", others))};
}

}  // namespace

Result<std::vector<RosterFile>> files_of_folder(
    const std::string& folder, const std::function<bool(std::string_view name)>& leave_out) {
  std::vector<RosterFile> files;
  std::error_code error;
  for (const fs::directory_entry& each : fs::directory_iterator(folder, error)) {
    const std::string name = each.path().filename().string();
    if (!is_roster_name(name) || leave_out(name)) continue;
    ROTA_ASSIGN(std::string text, read_small_file(each.path().string(), kRosterBytesMax));
    files.push_back({each.path().string(), std::move(text)});
  }
  if (error) return fail(ErrorKind::kIo, folder + ": cannot be read");
  std::ranges::sort(files, {}, &RosterFile::name);
  return files;
}

Result<DraftRoster> draft_roster(const std::string& path, const std::vector<std::string>& drafts) {
  if (drafts.size() == 1 && is_folder(drafts.front())) {
    auto files = read_roster(drafts.front());
    if (!files) {
      return fail(files.error().kind, without_secret_path(files.error().message, drafts.front()));
    }
    return DraftRoster{*std::move(files), shown_path(drafts.front())};
  }
  if (is_folder(path)) return beside_the_others(path, drafts);
  if (drafts.size() > 1 && !path.empty()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("the roster is the file {}: give one FILE in its place", path));
  }
  DraftRoster roster;
  for (const std::string& draft : drafts) {
    ROTA_ASSIGN(RosterFile file, read_draft(draft));
    roster.files.push_back(std::move(file));
  }
  roster.of = shown_path(drafts.front());
  if (!path.empty()) roster.of += " in place of " + path;
  return roster;
}

}  // namespace rota::cli
