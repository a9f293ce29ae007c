#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/lifecycle.h"
#include "sim/promises.h"
#include "sim/world.h"

// What clients may do by enrolling and removing: how many members, how many calls, which tags; and
// which members leave by themselves.

namespace rota::sim {
namespace {

constexpr Duration kHour = std::chrono::hours{1};

bool is_named(const SlimVector<Selector>& names) {
  return std::ranges::any_of(names, &Selector::in_roster);
}

// Adds those names whose enrolment is the oldest of all.
void add_first_enrolled(const SlimVector<Selector>& names, std::set<std::string>& first) {
  std::optional<WallTime> oldest;
  const auto since = [](const Selector& name) {
    return std::ranges::min(name.enrolments, {}, &Enrolment::since).since;
  };
  for (const Selector& name : names) {
    if (name.enrolments.empty()) continue;
    oldest = oldest ? std::min(*oldest, since(name)) : since(name);
  }
  for (const Selector& name : names) {
    if (!name.enrolments.empty() && since(name) == *oldest) first.insert(name.key.text());
  }
}

}  // namespace

void Promises::forget_clients() {
  new_names_.clear();  // turns are not on record
  // How many a client has removed lately is not on record; that it is held back, is.
  for (auto& [client, removing] : removing_) removing = {.is_held = removing.is_held};
}

void Promises::on_sleep(Duration length) {
  disturbed_at_ = std::max(disturbed_at_, world_.time().now() + length);
}

void Promises::on_commit_failed() { on_sleep(Duration{0}); }

// --- How many ---

// Each new name costs a first call. When it is on disk, it has had its turn just before; those that
// were on their way while the disk did not work or the machine slept come together.
void Promises::new_names_take_their_share(MemberId member) {
  constexpr Duration kOnItsWay = std::chrono::seconds{10};
  constexpr Duration kTogether = std::chrono::seconds{30};
  const Durable::Member* there = durable().find(member);
  if (there == nullptr || there->pin || names_before_.contains(member) ||
      !is_only_enrolled(there->selectors)) {
    return;
  }
  const Policy& policy = world_.options().policy;
  const Duration now = world_.time().now();
  if (now - disturbed_at_ < kTogether) return new_names_.clear();
  new_names_.push_back(now);
  while (new_names_.front() + policy.window - kOnItsWay < now) new_names_.pop_front();
  const auto share = static_cast<std::size_t>(static_cast<double>(policy.requests_per_window) *
                                              policy.enrolment.budget_share);
  const std::size_t most = std::max<std::size_t>(1, share);
  if (new_names_.size() == most) world_.note("enrol.share_taken");
  if (new_names_.size() > most) {
    world_.breach(fmt::format("share: a window sees {} first calls, where {} may be",
                              new_names_.size(), most));
  }
}

// A name that no longer leads to its member becomes a member of its own, which has the pin from the
// beginning.
void Promises::note_split(MemberId member) {
  const Durable::Member* now = durable().find(member);
  if (now != nullptr && now->pin && !names_before_.contains(member)) ++split_names_;
}

void Promises::at_most_so_many_are_enrolled() {
  const std::size_t enrolled = durable().only_enrolled();
  const std::size_t most = world_.options().policy.enrolment.max_members;
  if (enrolled == most) world_.note("enrol.full");
  if (enrolled > most + split_names_) {
    world_.breach(fmt::format("places: {} members are enrolled, where {} may be", enrolled, most));
  }
  if (enrolled <= most) split_names_ = 0;
}

// --- Removals ---

// `own`: how many members the client had enrolled when it asked; `removed`: whether this one goes.
void Promises::on_removal(const std::string& client, std::size_t own, bool removed) {
  constexpr Duration kCountedEvery = std::chrono::minutes{1};
  Removing& removing = removing_[client];
  const BootTime now = world_.now().boot;
  while (!removing.removed.empty() && removing.removed.front() + kHour <= now) {
    removing.removed.pop_front();
  }
  removing.had.emplace_back(now, own + removing.removed.size());
  while (removing.had.front().first + kCountedEvery < now) removing.had.pop_front();
  if (!removed) return;
  if (removing.is_held) {
    world_.breach(fmt::format("removals: {} is held back, and removes a member", client));
  }
  if (removing.free_until && now < *removing.free_until) return;
  removing.removed.push_back(now);
  const GuardPolicy& guard = world_.options().policy.guard;
  const std::size_t had =
      std::ranges::max(removing.had, {}, [](const auto& count) { return count.second; }).second;
  const std::size_t count = removing.removed.size();
  const double share = guard.max_retire_fraction * static_cast<double>(had);
  if (count > guard.max_retire_count && static_cast<double>(count) > share + 1e-6) {
    world_.breach(
        fmt::format("removals: {} removes {} of {} members within an hour", client, count, had));
  }
}

void Promises::on_removals_limited(const std::string& client) { removing_[client].is_held = true; }

void Promises::on_removals_lifted(const std::string& client) {
  removing_[client] = {.free_until = world_.now().boot + kHour};
}

// A roster that drops an entry, or retires the member, ends what clients said of it before.
void Promises::roster_ends_enrolments(MemberId member) {
  const auto before = names_before_.find(member);
  const Durable::Member* now = durable().find(member);
  if (before == names_before_.end() || now == nullptr) return;
  const auto find = [now](const MemberKey& key) {
    return std::ranges::find(now->selectors, key, &Selector::key);
  };
  const bool ends = std::ranges::any_of(before->second, [&](const Selector& name) {
    if (!name.in_roster || name.retired) return false;
    const auto there = find(name.key);
    return there != now->selectors.end() && (!there->in_roster || there->retired);
  });
  if (!ends) return;
  for (const Selector& name : before->second) {
    if (!name.enrolments.empty()) world_.note("enrol.ended_by_roster");
    const auto there = find(name.key);
    if (there == now->selectors.end()) continue;
    for (const Enrolment& enrolment : name.enrolments) {
      const auto same = std::ranges::find(there->enrolments, enrolment.client, &Enrolment::client);
      if (same != there->enrolments.end() && same->since == enrolment.since) {
        world_.breach(fmt::format("enrolments: the roster drops {}, and {} has it enrolled still",
                                  name.key.text(), enrolment.client));
      }
    }
  }
}

// --- Tags ---

// Each tag of an enrolment says by which name it was given (sim/enrollers.cc). They are those of
// one name, the first that was enrolled; of a member that the roster names, none.
void Promises::tags_are_of_one_name(MemberId member) {
  const Published* shown = world_.table().find(member);
  const Durable::Member* there = durable().find(member);
  if (shown == nullptr || there == nullptr) return;
  const bool named = is_named(there->selectors);
  if (!named && !is_only_enrolled(there->selectors)) return;  // it leaves
  std::set<std::string> may_give;
  if (!named) {
    add_first_enrolled(there->selectors, may_give);
    // Where Circle's clock was found to be another, the times of enrolments moved together.
    const MemberSlot* slot = world_.engine().find(member);
    if (slot != nullptr) add_first_enrolled(slot->record.selectors, may_give);
  }
  std::set<std::string> given_by;
  for (const std::string& tag : shown->tags) {
    const auto slash = tag.find('/');
    if (slash == std::string::npos) continue;
    given_by.insert(tag.substr(slash + 1));
    if (!may_give.contains(tag.substr(slash + 1))) {
      world_.breach(fmt::format("tags: {} has the tag {}, given by another name",
                                there->selectors.front().key.text(), tag));
    }
  }
  if (given_by.size() > 1) {
    world_.breach(fmt::format("tags: {} has the tags of {} names",
                              there->selectors.front().key.text(), given_by.size()));
  }
}

// --- Idle members ---

// A client asks for a member by this name, and the engine comes to know it. While it has a wrong
// idea of Circle's time, the member may seem to be asked for long ago.
void Promises::on_asked_for(const MemberKey& key) {
  const CircleClock& clock = world_.engine().clock();
  if (!clock.confirmed() || clock.doubted() || !knows_time()) return;
  if (world_.options().policy.enrolment.idle_after <= world_.options().weather) {
    asked_[key.text()].push_back(world_.time().now());
  }
}

// All times at which somebody asked for this member, in order.
std::vector<Duration> Promises::asked_for(const Durable::Member& member) const {
  std::vector<Duration> times;
  for (const Selector& name : member.selectors) {
    const auto asked = asked_.find(name.key.text());
    if (asked == asked_.end()) continue;
    times.insert(times.end(), asked->second.begin(), asked->second.end());
  }
  std::ranges::sort(times);
  return times;
}

// The engine notes uses to the minute, and stores some of them a while later, so a crash loses
// some.
Duration Promises::use_slack() const {
  constexpr Duration kStoredLater = std::chrono::minutes{3};
  constexpr int kStoredPerActiveTime = 24;
  return world_.options().policy.active_within / kStoredPerActiveTime + kStoredLater;
}

// It is told a while after it has left, so it is enough if nobody had asked for it for so long at
// some time shortly before.
void Promises::idle_one_was_idle(const std::string& key) {
  constexpr Duration kToldLater = std::chrono::minutes{5};
  world_.note("enrol.idle");
  const auto member = std::ranges::find_if(durable().members(), [&key](const auto& each) {
    return std::ranges::any_of(each.second.selectors,
                               [&key](const Selector& name) { return name.key.text() == key; });
  });
  if (member == durable().members().end()) return;
  // An address that moved at Circle may have been another record's when somebody asked for it.
  const bool moved = std::ranges::any_of(member->second.selectors, [this](const Selector& name) {
    return world_.circle().moved_at(name.key).has_value();
  });
  if (moved) return;
  const Duration least = *world_.options().policy.enrolment.idle_after - use_slack();
  std::vector<Duration> times = asked_for(member->second);
  if (times.empty()) return;  // its client heard nothing, or asked when nobody knew the time
  const Duration now = world_.time().now();
  times.push_back(now);
  Duration before{0};
  for (const Duration time : times) {
    if (time - before >= least && time + kToldLater >= now) return;
    before = time;
  }
  world_.breach(fmt::format("idle: {} leaves, and was asked for within {} ms", key, least.count()));
}

// Those that nobody asks for leave one by one. Of few members one leaves in an hour.
void Promises::idle_ones_leave() {
  const auto& policy = world_.options().policy.enrolment;
  if (policy.idle_after > world_.options().weather) return;
  std::size_t enrolled = 0;
  std::optional<Duration> longest;
  std::string who;
  for (const auto& [id, member] : durable().members()) {
    if (!is_only_enrolled(member.selectors)) continue;
    ++enrolled;
    // Of a name that left its member, nobody knows who was asked for.
    if (member.state != MemberState::kActive) continue;
    const std::vector<Duration> times = asked_for(member);
    if (times.empty()) continue;  // its client heard nothing
    const Duration over = world_.time().now() - times.back() - *policy.idle_after - use_slack();
    if (longest && over <= *longest) continue;
    longest = over;
    who = member.selectors.front().key.text();
  }
  most_enrolled_ = std::max(most_enrolled_, enrolled);
  if (longest && *longest > static_cast<Duration::rep>(most_enrolled_ + 1) * kHour) {
    world_.breach(fmt::format("idle: nobody asks for {}, and it stays {} ms longer than it may",
                              who, longest->count()));
  }
}

}  // namespace rota::sim
