#include "support/roster_diff.h"

#include <algorithm>

#include "base/fingerprint.h"

namespace rota::test {
namespace {

std::vector<const RosterEntry*> by_key(const Roster& roster) {
  std::vector<const RosterEntry*> entries;
  entries.reserve(roster.entries.size());
  for (const RosterEntry& entry : roster.entries) entries.push_back(&entry);
  std::ranges::sort(entries, {}, [](const RosterEntry* entry) -> auto& { return entry->key; });
  return entries;
}

// Adds what changes for one key. `old` or `now` is null if that roster does not have the key.
void add_step(const RosterEntry* old, const RosterEntry* now, RosterDiff& diff) {
  const bool was_active = old != nullptr && !old->retired;
  if (now == nullptr) {
    (was_active ? diff.retire : diff.drop).push_back(old->key);
  } else if (!now->retired && !was_active) {
    diff.add.push_back(*now);
  } else if (now->retired && was_active) {
    diff.retire.push_back(now->key);
  } else if (old == nullptr || *old != *now || !old->key.same_spelling(now->key)) {
    diff.change.push_back(*now);
  }
}

}  // namespace

RosterDiff diff_rosters(const Roster& in_force, const Roster& wanted) {
  RosterDiff diff;
  const auto before = by_key(in_force);
  const auto after = by_key(wanted);
  auto old = before.begin();
  auto now = after.begin();
  // Walks both in the order of their keys, so that each list comes out sorted.
  while (old != before.end() || now != after.end()) {
    const bool only_old = now == after.end() || (old != before.end() && (*old)->key < (*now)->key);
    const bool only_now = old == before.end() || (now != after.end() && (*now)->key < (*old)->key);
    add_step(only_now ? nullptr : *old, only_old ? nullptr : *now, diff);
    if (!only_now) ++old;
    if (!only_old) ++now;
  }
  return diff;
}

std::string plan_id(const RosterDiff& diff) {
  std::vector<std::string> keys;
  for (const MemberKey& key : diff.retire) keys.push_back(key.text());
  std::ranges::sort(keys);
  std::string text;
  for (const std::string& key : keys) {
    text += key;
    text += '\n';  // no key holds one
  }
  const auto add_steps = [&text](char sign, const std::vector<RosterEntry>& entries) {
    for (const RosterEntry& entry : entries) {
      text += sign + entry.key.text() + '\n' + std::to_string(entry.name.size()) + ':' + entry.name;
      text += entry.retired ? "\ntrue" : "\nfalse";
      for (const std::string& tag : entry.tags) {
        text += ',' + std::to_string(tag.size()) + ':' + tag;
      }
      text += '\n';
    }
  };
  if (keys.empty()) {
    add_steps('+', diff.add);
    add_steps('~', diff.change);
  }
  return format_fingerprint(fingerprint_of(text));
}

}  // namespace rota::test
