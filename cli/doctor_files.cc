#include "cli/doctor_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "cli/placed_file.h"
#include "settings/accounts.h"
#include "settings/token_files.h"

namespace rota::cli {
namespace {

constexpr const char* kAbout = "file";
constexpr mode_t kPermissions = 07777;

Finding judge_owner(const TokenFileSettings& file, uid_t service, const struct stat& status) {
  const auto owner = file.owner.empty() ? Result<std::uint32_t>(service) : find_user(file.owner);
  const auto group =
      file.group.empty() ? Result<std::uint32_t>(status.st_gid) : find_group(file.group);
  for (const auto& id : {owner, group}) {
    if (!id) return wrong(kAbout, fmt::format("{}: {}", file.where, id.error().message), "fix it");
  }
  const mode_t mode = status.st_mode & kPermissions;
  const std::string seen = fmt::format("{} belongs to {}:{} with the mode {:04o}", file.path,
                                       status.st_uid, status.st_gid, mode);
  const bool right = S_ISREG(status.st_mode) && status.st_uid == *owner &&
                     status.st_gid == *group && mode == file.mode;
  return right ? good(kAbout, seen)
               : wrong(kAbout, seen + ", which is not what was asked for",
                       "systemctl restart rota-files; journalctl -u rota-files says what is wrong");
}

}  // namespace

Findings judge_token_file(const std::string& config, const std::string& path, uid_t service) {
  const auto settings = load_token_files(config);
  if (!settings) {
    return {wrong(kAbout, settings.error().message,
                  "fix it, then check: rota files --check --config " + shell_word(config))};
  }
  const auto file = std::ranges::find(settings->files, path, &TokenFileSettings::path);
  if (file == settings->files.end()) {
    return {wrong(kAbout, fmt::format("{} has no [[file]] with that path", config),
                  "add it, then: systemctl reload rota-files")};
  }
  Findings findings;
  if (const auto folder = check_folder(path, service); !folder) {
    findings.push_back(wrong(kAbout, folder.error().message, "rota-files writes nothing there"));
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    findings.push_back(judge_owner(*file, service, status));
  } else {
    findings.push_back(wrong(
        kAbout, fmt::format("{}: {}", path, std::strerror(errno)),
        fmt::format("rota member {} says whether there is a token; journalctl -u rota-files says "
                    "what else is wrong",
                    shell_word(file->member.text()))));
  }
  return findings;
}

}  // namespace rota::cli
