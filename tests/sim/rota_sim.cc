#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <span>
#include <string_view>

#include "sim/group.h"
#include "sim/world.h"

// rota-sim [--seed N] [--seeds COUNT] [--days D --members M [--calm] | --crowd M | --group W]
// [--trace]
//
// Without --days and --crowd: the short world that the tests run for that seed. Exit status 1 if a
// promise was broken; each breach is a line. --group: so many daemons that share one budget, which
// is too small for them; only P7 is looked at.

namespace {

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  std::uint64_t days = 0;
  std::uint64_t members = 200;
  std::uint64_t crowd = 0;
  std::uint64_t group = 0;
  bool calm = false;
  bool trace = false;
};

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  return status == std::errc{} && end == text.data() + text.size();
}

bool read(std::span<char*> words, Arguments& arguments) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--calm") {
      arguments.calm = true;
    } else if (word == "--trace") {
      arguments.trace = true;
    } else {
      std::uint64_t* number = word == "--seed"      ? &arguments.seed
                              : word == "--seeds"   ? &arguments.seeds
                              : word == "--days"    ? &arguments.days
                              : word == "--members" ? &arguments.members
                              : word == "--crowd"   ? &arguments.crowd
                              : word == "--group"   ? &arguments.group
                                                    : nullptr;
      if (number == nullptr || i + 1 == words.size() || !read_number(words[++i], *number)) {
        return false;
      }
    }
  }
  return true;
}

rota::sim::WorldOptions options_of(std::uint64_t seed, const Arguments& arguments) {
  if (arguments.crowd > 0) return rota::sim::crowd_world(seed, arguments.crowd);
  if (arguments.days == 0) return rota::sim::options_of(seed);
  return rota::sim::long_world(seed, std::chrono::days{arguments.days}, arguments.members,
                               arguments.calm);
}

// Whether every promise was kept.
bool run_group(std::uint64_t seed, const Arguments& arguments) {
  rota::sim::Group group({.seed = seed, .worlds = arguments.group, .short_of_calls = true});
  group.run();
  bool kept = true;
  for (const std::string& breach : group.breaches()) {
    if (!breach.contains("P7")) continue;
    fmt::print("{}\n", breach);
    kept = false;
  }
  return kept;
}

bool run(std::uint64_t seed, const Arguments& arguments) {
  if (arguments.group > 0) return run_group(seed, arguments);
  rota::sim::World world(options_of(seed, arguments), arguments.trace);
  world.run();
  const auto& chronicle = world.chronicle();
  for (const auto& breach : chronicle.breaches()) fmt::print("{}\n", breach);
  if (arguments.seeds == 1) {
    for (const auto& [event, times] : chronicle.tally()) fmt::print("{:>10} {}\n", times, event);
    fmt::print("seed {}: {} breaches, hash {:016x}\n", seed, chronicle.breach_count(),
               chronicle.hash());
  }
  return chronicle.breach_count() == 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!read({argv, static_cast<std::size_t>(argc)}, arguments)) {
    fmt::print(stderr,
               "usage: rota-sim [--seed N] [--seeds COUNT] [--days D --members M [--calm] | "
               "--crowd M | --group W] [--trace]\n");
    return 2;
  }
  bool kept = true;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    kept = run(arguments.seed + i, arguments) && kept;
  }
  return kept ? EXIT_SUCCESS : EXIT_FAILURE;
}
