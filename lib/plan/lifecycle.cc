#include "plan/lifecycle.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rota {

MemberState next_state(MemberState state, LifecycleEvent event, bool wanted) {
  using enum MemberState;
  switch (event) {
    case LifecycleEvent::kWanted:
      return state == kRetiring || state == kRetired ? kActive : state;
    case LifecycleEvent::kDropped:
      return state == kActive || state == kUnknown || state == kMismatched ? kRetiring : state;
    case LifecycleEvent::kOperatorRevokes:
      return kBlocked;
    case LifecycleEvent::kOperatorReinstates:
      if (state == kBlocked || state == kMismatched) return wanted ? kActive : kRetiring;
      return state == kUnknown ? kActive : state;
    case LifecycleEvent::kNothingAlive:
      return state == kRetiring ? kRetired : state;
    case LifecycleEvent::kCircleKnowsNone:
      return state == kActive ? kUnknown : state;
    case LifecycleEvent::kCircleIssued:
      return state == kUnknown ? kActive : state;
    case LifecycleEvent::kOtherIdentity:
      return state == kActive || state == kUnknown ? kMismatched : state;
  }
  ROTA_CHECK(false);
}

bool can_be_reinstated(MemberState state) {
  constexpr bool kWanted = true;
  return next_state(state, LifecycleEvent::kOperatorReinstates, kWanted) != state;
}

bool keeps_tokens(MemberState state) {
  switch (state) {
    case MemberState::kActive:
    case MemberState::kUnknown:
      return true;
    case MemberState::kRetiring:
    case MemberState::kRetired:
    case MemberState::kBlocked:
    case MemberState::kMismatched:
      return false;
  }
  ROTA_CHECK(false);
}

bool wanted_by_roster(const MemberRecord& record) {
  const auto& all = record.selectors;
  return named_by_roster(record) &&
         std::ranges::none_of(all, [](const Selector& s) { return s.in_roster && s.retired; });
}

bool named_by_roster(const MemberRecord& record) {
  return std::ranges::any_of(record.selectors, &Selector::in_roster);
}

std::vector<std::string> tags_of(const MemberRecord& record) {
  std::vector<std::string> tags;
  const bool named = named_by_roster(record);
  for (const Selector& selector : record.selectors) {
    if (named && !selector.in_roster) continue;
    tags.insert(tags.end(), selector.tags.begin(), selector.tags.end());
  }
  std::ranges::sort(tags);
  const auto repeats = std::ranges::unique(tags);
  tags.erase(repeats.begin(), repeats.end());
  return tags;
}

bool forget_stale_tags(MemberRecord& record) {
  if (!named_by_roster(record)) return false;
  bool changed = false;
  for (Selector& selector : record.selectors) {
    if (selector.in_roster || selector.tags.empty()) continue;
    selector.tags.clear();
    changed = true;
  }
  return changed;
}

void unite_spellings(MemberRecord& record) {
  std::vector<Selector> united;
  for (Selector& selector : record.selectors) {
    const auto same = std::ranges::find(united, selector.key, &Selector::key);
    if (same == united.end()) {
      united.push_back(std::move(selector));
    } else if (selector.in_roster || !same->in_roster) {
      // An entry that keeps the member out does so under either spelling.
      selector.retired |= selector.in_roster && same->in_roster && same->retired;
      *same = std::move(selector);
    }
  }
  record.selectors = std::move(united);
}

const MemberKey& primary_key(const MemberRecord& record) {
  ROTA_CHECK(!record.selectors.empty());
  const auto it = std::ranges::find_if(record.selectors, &Selector::in_roster);
  return it == record.selectors.end() ? record.selectors.front().key : it->key;
}

}  // namespace rota
