#include "settings/own_path.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "settings/accounts.h"

namespace rota {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel has it
constexpr gid_t kRootGroup = 0;

// A container's user namespace may not know the user of the folders above, root as a rule: they
// appear as the overflow user, and nobody in here is that user.
bool in_a_user_namespace() {
  std::uint64_t inside = 0, outside = 0, count = 0;
  std::ifstream map("/proc/self/uid_map");
  constexpr std::uint64_t kAll = 4'294'967'295;
  return (map >> inside >> outside >> count) && (inside != 0 || outside != 0 || count != kAll);
}

bool is_ours(uid_t owner) {
  static const bool namespaced = in_a_user_namespace();
  return owner == 0 || owner == ::geteuid() || (namespaced && owner == overflow_ids().user);
}

Result<void> check_place(const fs::path& place, const struct stat& status, const std::string& path,
                         std::optional<uid_t> service) {
  const auto refused = [&](std::string_view why, std::string_view fix) {
    return fail(ErrorKind::kConfig, fmt::format("{}: {} {}, so users other than root and rotad's "
                                                "user can change it; fix it with: {} {}",
                                                path, place == path ? "this file" : place.string(),
                                                why, fix, place.string()));
  };
  if (!is_ours(status.st_uid) && status.st_uid != service) {
    return refused(fmt::format("belongs to uid {}", status.st_uid), "chown root");
  }
  if (S_ISLNK(status.st_mode)) return {};
  const bool by_group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != kRootGroup;
  const bool by_others = (status.st_mode & S_IWOTH) != 0;
  const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if ((by_group || by_others) && !sticky) {
    return refused(fmt::format("has the mode {:04o}", status.st_mode & 07777U), "chmod go-w");
  }
  return {};
}

}  // namespace

Result<void> check_only_ours(const std::string& path, std::optional<uid_t> service) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  std::deque<fs::path> left(absolute.begin(), absolute.end());
  fs::path at;
  for (int links = 0; !left.empty();) {
    const fs::path step = left.front();
    left.pop_front();
    if (step == ".." && at.has_parent_path()) at = at.parent_path();
    if (step.empty() || step == "." || step == "..") continue;
    const fs::path next = at / step;
    struct stat status{};
    if (::lstat(next.c_str(), &status) != 0) return {};
    ROTA_TRY(check_place(next, status, path, service));
    if (!S_ISLNK(status.st_mode)) {
      at = next;
      continue;
    }
    const fs::path target = fs::read_symlink(next, error);
    if (error || ++links > kLinksMax) return {};
    left.insert(left.begin(), target.begin(), target.end());
  }
  return {};
}

}  // namespace rota
