#include "cli/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "cli/draft_roster.h"
#include "cli/import_files.h"
#include "cli/import_report.h"
#include "import/member_lists.h"
#include "roster/roster_text.h"
#include "settings/hidden_values.h"
#include "settings/roster_file.h"
#include "settings/secret_files.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeading =
    "# Written by rota import, which replaces the whole file the next time.\n";

// As `rota setup` leaves the file if it is told of no member.
bool has_no_member(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = trim(text.substr(0, end));
    if (!line.empty() && !line.starts_with('#')) return false;
    text.remove_prefix(end);
  }
  return true;
}

class Import {
 public:
  Import(const ImportCommand& command, Output& output) : command_(command), output_(output) {}

  Result<ImportReport> run() {
    ROTA_TRY(read_settings());
    ROTA_ASSIGN(target_, RosterTarget::look_at(command_.out));
    ROTA_ASSIGN(const std::vector<ListFile> lists, read_lists(command_.files));
    say_what_takes_long(lists);
    ROTA_ASSIGN(const Roster listed, read_member_lists(lists, command_.rules));
    const std::string text = std::string(kHeading) + roster_text(listed.entries);
    ROTA_TRY(read_others());
    ROTA_ASSIGN(const Roster before, roster_with(target_.text));
    // As the daemon will read it: nothing is written that it would refuse.
    ROTA_ASSIGN(const Roster after, roster_with(text));
    if (text.size() + others_bytes() > kRosterBytesMax) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{}: with these members the roster is larger than {} bytes",
                              target_.shown, kRosterBytesMax));
    }
    ImportReport report = report_import(before, after, settings_.policy);
    report.out = target_.shown;
    report.members = listed.entries.size();
    report.size = size_of(listed);
    report.notes = std::move(notes_);
    if (command_.dry_run) {
      report.ending = ImportEnding::kDryRun;
    } else if (text == target_.text) {
      report.ending = ImportEnding::kSame;
    } else {
      ROTA_TRY(target_.write(text));
    }
    return report;
  }

 private:
  void say_what_takes_long(const std::vector<ListFile>& lists) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
    constexpr std::size_t kManyBytes = 4 * kMebibyte;  // reading them takes about a second
    std::size_t bytes = 0;
    for (const ListFile& list : lists) bytes += list.text.size();
    if (bytes < kManyBytes) return;
    output_.show_progress(fmt::format("reading {} MiB of lists, and comparing", bytes / kMebibyte));
  }

  // The guard's measure, and which files are one roster with the new one.
  Result<void> read_settings() {
    const bool chosen = !command_.config.empty();
    const std::string path = chosen ? command_.config : command_.community.config();
    auto settings = load_settings(path);
    if (settings) {
      settings_ = *std::move(settings);
      hidden_ = HiddenValues(settings_);
      return {};
    }
    if (chosen) {
      return fail(settings.error().kind, without_secret_path(settings.error().message, path));
    }
    settings_.roster.path.clear();
    notes_.push_back(fmt::format("the guard and the budget are taken to be at their defaults: {}",
                                 settings.error().message));
    return {};
  }

  Result<void> read_others() {
    const fs::path roster = settings_.roster.path;
    std::error_code error;
    const bool is_it = !roster.empty() && fs::weakly_canonical(roster, error) == target_.path;
    if (is_it || roster.empty()) return {};
    const fs::path out = target_.path;
    if (fs::canonical(roster, error) != out.parent_path()) {
      notes_.push_back(hidden_.hide(fmt::format("{} is not in the roster of the configuration, {}",
                                                target_.shown, roster.string())));
      return {};
    }
    if (!is_roster_name(out.filename().string())) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("{}: the daemon reads only files of this folder that end in .toml and "
                      "do not begin with a dot",
                      target_.shown));
    }
    auto others = files_of_folder(
        roster, [&out](std::string_view name) { return name == out.filename().string(); });
    if (!others) return std::unexpected(hidden_.hide(others.error()));
    others_ = *std::move(others);
    return {};
  }

  // The whole roster, if this file has the text. Empty: it is not there, or has no member.
  Result<Roster> roster_with(const std::string& text) const {
    std::vector<RosterFile> files = others_;
    if (!text.empty() && !has_no_member(text)) files.push_back({target_.shown, text});
    if (files.empty()) return Roster{};
    auto roster = parse_roster(files);
    if (!roster) return std::unexpected(hidden_.hide(roster.error()));
    return roster;
  }

  std::size_t others_bytes() const {
    std::size_t bytes = 0;
    for (const RosterFile& file : others_) bytes += file.text.size();
    return bytes;
  }

  const ImportCommand& command_;
  Output& output_;
  Settings settings_;
  HiddenValues hidden_;
  RosterTarget target_;
  std::vector<RosterFile> others_;  // that are one roster with the new file
  std::vector<std::string> notes_;
};

}  // namespace

ExitCode run_import(const ImportCommand& command, bool as_json, Output& output) {
  const auto report = Import(command, output).run();
  output.end_work();
  if (!report) {
    output.err(report.error().message);
    return ExitCode::kFailed;
  }
  const auto printed = output.out(as_json ? import_json(*report) : describe_import(*report));
  if (printed) return ExitCode::kDone;
  output.err(printed.error().message);
  return ExitCode::kFailed;
}

}  // namespace rota::cli
