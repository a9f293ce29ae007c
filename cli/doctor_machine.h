#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/findings.h"

// What `rota doctor` finds about the machine: its disk, its clock, the name of Circle's host, and
// the other daemons that share its address. The judges are pure; the others ask the system.
namespace rota::cli {

struct DiskRoom {
  std::uint64_t bytes = 0;  // free for rotad
  bool has_inodes = true;   // whether a file can be made
};
// Of the file system of `path`, or of the nearest folder above it that exists. None: it cannot be
// asked.
std::optional<DiskRoom> room_at(const std::string& path);
Finding judge_disk(const std::string& path, const DiskRoom& room);

// Whether something sets this machine's clock, as the kernel knows it. None: it does not say.
std::optional<bool> clock_is_kept();
// A note if nothing does; none: all is well.
std::optional<Finding> judge_clock_service(std::optional<bool> kept);

std::string host_of(const std::string& base_url);
// Whether the name of Circle's host has an address. None: `base_url` has an address itself. Blocks
// while the resolver answers.
std::optional<Finding> look_up(const std::string& base_url);

// A rotad that runs on this machine.
struct OtherDaemon {
  pid_t pid = 0;
  std::string base_url;
  std::size_t calls = 0;  // requests_per_window
  Duration window{0};
  std::string budget_file{};  // its budget_group; empty: none
};
// All whose configuration this user may read.
std::vector<OtherDaemon> running_daemons();
// Circle counts all calls of one address together; a budget_group counts once. None: at most one of
// `daemons` calls `base_url`, and it stays below Circle's limit.
std::optional<Finding> judge_budgets(const std::string& base_url,
                                     const std::vector<OtherDaemon>& daemons);

}  // namespace rota::cli
