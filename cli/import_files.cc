#include "cli/import_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/import.h"
#include "cli/output.h"
#include "settings/accounts.h"
#include "settings/hidden_values.h"

namespace rota::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHidden = "a file (its name is not repeated here: it may be a secret)";
constexpr mode_t kGroupFile = 0640;
constexpr mode_t kOwnFile = 0600;
constexpr mode_t kPermissions = 0777;

std::unexpected<Error> too_large() {
  return fail(ErrorKind::kInvalid,
              fmt::format("the lists have more than {} bytes together", kListBytesMax));
}

Result<std::string> read_standard_input(std::size_t bytes_max) {
  std::string text;
  std::array<char, std::size_t{64} << 10U> buffer;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_for_input(STDIN_FILENO);
      continue;
    }
    if (got < 0) {
      return fail(ErrorKind::kIo, fmt::format("the standard input cannot be read: {}",
                                              std::generic_category().message(errno)));
    }
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > bytes_max) return too_large();
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// As `rota setup` makes a roster: it names members, so it is not for everybody.
Rights rights_of_new_roster() {
  if (::geteuid() != 0) return {.mode = kOwnFile};
  const auto group = find_group("rota");
  if (!group) return {.mode = kOwnFile};
  return {.mode = kGroupFile, .group = static_cast<gid_t>(*group)};
}

}  // namespace

std::string shown_path(const std::string& path) {
  return may_be_shown(path) ? path : std::string(kHidden);
}

std::string without_secret_path(std::string message, const std::string& path) {
  if (path.empty() || may_be_shown(path)) return message;
  for (std::size_t at = message.find(path); at != std::string::npos;
       at = message.find(path, at + kHidden.size())) {
    message.replace(at, path.size(), kHidden);
  }
  return message;
}

Result<std::vector<ListFile>> read_lists(const std::vector<std::string>& paths) {
  if (std::ranges::count(paths, "-") > 1) {
    return fail(ErrorKind::kInvalid, "the standard input (-) can be read only once");
  }
  std::vector<ListFile> files;
  std::size_t left = kListBytesMax;
  for (const std::string& path : paths) {
    const bool by_input = path == "-";
    auto text = by_input ? read_standard_input(left) : read_small_file(path, left);
    if (!text) {
      return fail(text.error().kind, without_secret_path(text.error().message, path));
    }
    left -= text->size();
    files.push_back({by_input ? "the standard input" : shown_path(path), *std::move(text)});
  }
  return files;
}

Result<RosterTarget> RosterTarget::look_at(const std::string& out) {
  RosterTarget target;
  target.shown = shown_path(out);
  const fs::path given = fs::absolute(out);
  const std::string name = given.filename().string();
  if (name.empty() || name == "." || name == ".." || out == "-") {
    return fail(ErrorKind::kInvalid, "--out names no file");
  }
  std::error_code error;
  const fs::path folder = fs::canonical(given.parent_path(), error);
  if (error) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{}: its folder: {}", target.shown, error.message()));
  }
  target.path = (folder / name).string();
  target.stamp = stamp_roster(target.path);
  struct stat found{};
  if (::lstat(target.path.c_str(), &found) != 0) {
    target.rights = rights_of_new_roster();
    return target;
  }
  if (S_ISLNK(found.st_mode)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{} is a link, and rota import writes through none", target.shown));
  }
  target.rights = {
      .mode = found.st_mode & kPermissions, .group = found.st_gid, .owner = found.st_uid};
  auto text = read_small_file(target.path, kRosterBytesMax);
  if (!text) {
    return fail(text.error().kind, without_secret_path(text.error().message, target.path));
  }
  target.text = *std::move(text);
  return target;
}

Result<void> RosterTarget::write(std::string_view new_text) const {
  if (stamp_roster(path) != stamp) {
    return fail(ErrorKind::kBusy,
                fmt::format("{}: somebody else changed it meanwhile; nothing was written", shown));
  }
  auto written = Tree({}).replace(path, new_text, rights);
  if (written) return {};
  return fail(written.error().kind, without_secret_path(written.error().message, path));
}

}  // namespace rota::cli
