#include "daemon/accounts.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

namespace rota {
namespace {

constexpr std::size_t kEntryBytesFirst = std::size_t{4} << 10U;
constexpr std::size_t kEntryBytesMax = std::size_t{16} << 20U;  // a group with all its members

// getpwnam_r() and getgrnam_r() differ in their type alone. None: there is no such entry.
template <class Entry, class Look>
Result<std::optional<Entry>> look_up(const std::string& name, Look look) {
  std::string buffer(kEntryBytesFirst, '\0');
  for (;;) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == 0) return found == nullptr ? std::nullopt : std::optional(entry);
    if (error == EINTR) continue;
    // The ways of name services to say that they do not know the name.
    if (error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) return std::nullopt;
    if (error != ERANGE || buffer.size() >= kEntryBytesMax) {
      return fail(ErrorKind::kIo,
                  fmt::format("\"{}\" cannot be looked up: {}", name, std::strerror(error)));
    }
    buffer.resize(2 * buffer.size());
  }
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || stop != end || number == kNoId) return std::nullopt;
  return number;
}

std::uint32_t read_number(const char* path, std::uint32_t otherwise) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return number_of(line).value_or(otherwise);
}

}  // namespace

Result<std::uint32_t> find_user(const std::string& name) {
  ROTA_ASSIGN(const auto entry, look_up<passwd>(name, ::getpwnam_r));
  if (entry) return entry->pw_uid;
  if (const auto number = number_of(name)) return *number;
  return fail(ErrorKind::kConfig, fmt::format("no user \"{}\"", name));
}

Result<std::uint32_t> find_group(const std::string& name) {
  ROTA_ASSIGN(const auto entry, look_up<group>(name, ::getgrnam_r));
  if (entry) return entry->gr_gid;
  if (const auto number = number_of(name)) return *number;
  return fail(ErrorKind::kConfig, fmt::format("no group \"{}\"", name));
}

OverflowIds overflow_ids() {
  const OverflowIds usual;
  return {.user = read_number("/proc/sys/kernel/overflowuid", usual.user),
          .group = read_number("/proc/sys/kernel/overflowgid", usual.group)};
}

Result<std::vector<Grant>> resolve_grants(const std::vector<GrantSettings>& grants) {
  const OverflowIds strangers = overflow_ids();
  std::vector<Grant> resolved;
  for (const GrantSettings& grant : grants) {
    const bool to_user = grant.holder == GrantSettings::Holder::kUser;
    const auto id = to_user ? find_user(grant.name) : find_group(grant.name);
    if (!id) return fail(id.error().kind, fmt::format("{}: {}", grant.where, id.error().message));
    if (*id == (to_user ? strangers.user : strangers.group)) {
      return fail(ErrorKind::kConfig,
                  fmt::format("{}: \"{}\" is how the kernel shows everybody of another user "
                              "namespace: a grant to it were one to all of them",
                              grant.where, grant.name));
    }
    resolved.push_back({.holder = to_user ? Grant::Holder::kUser : Grant::Holder::kGroup,
                        .id = *id,
                        .all_members = grant.all_members,
                        .tags = grant.tags,
                        .members = grant.members});
  }
  return resolved;
}

}  // namespace rota
