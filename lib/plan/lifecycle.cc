#include "plan/lifecycle.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

bool is_without_enrolment(const Selector& selector) { return selector.enrolments.empty(); }

// The name with the oldest enrolment; null: the member is not enrolled.
const Selector* first_enrolled(const MemberRecord& record) {
  const Selector* first = nullptr;
  WallTime since;
  for (const Selector& selector : record.selectors) {
    if (selector.enrolments.empty()) continue;
    const WallTime own = std::ranges::min(selector.enrolments, {}, &Enrolment::since).since;
    if (first != nullptr && since <= own) continue;
    first = &selector;
    since = own;
  }
  return first;
}

Enrolment* enrolment_of(Selector& selector, std::string_view client) {
  const auto own = std::ranges::find(selector.enrolments, client, &Enrolment::client);
  return own == selector.enrolments.end() ? nullptr : &*own;
}

// Of two enrolments of one client the older one counts.
void add_enrolment(Selector& selector, const Enrolment& enrolment) {
  if (Enrolment* const own = enrolment_of(selector, enrolment.client)) {
    if (enrolment.since < own->since) *own = enrolment;
    return;
  }
  const auto place =
      std::ranges::upper_bound(selector.enrolments, enrolment.client, {}, &Enrolment::client);
  selector.enrolments.insert(place, enrolment);
}

}  // namespace

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

bool is_wanted(const MemberRecord& record) {
  return (named_by_roster(record) || is_enrolled(record)) && !retired_by_roster(record);
}

bool retired_by_roster(const MemberRecord& record) {
  return std::ranges::any_of(record.selectors,
                             [](const Selector& s) { return s.in_roster && s.retired; });
}

bool is_enrolled(const MemberRecord& record, std::string_view client) {
  return std::ranges::any_of(record.selectors, [client](const Selector& selector) {
    return std::ranges::any_of(selector.enrolments, [client](const Enrolment& enrolment) {
      return client.empty() || enrolment.client == client;
    });
  });
}

bool only_enrolled(const MemberRecord& record) {
  return is_enrolled(record) && !named_by_roster(record);
}

bool leaves_tombstone(const MemberRecord& record) {
  return std::ranges::any_of(record.selectors, &Selector::was_in_roster);
}

bool named_by_roster(const MemberRecord& record) {
  return std::ranges::any_of(record.selectors, &Selector::in_roster);
}

std::vector<std::string> tags_of(const MemberRecord& record) {
  std::vector<std::string> tags;
  const bool named = named_by_roster(record);
  const Selector* const first = named ? nullptr : first_enrolled(record);
  if (first != nullptr) {
    for (const Enrolment& enrolment : first->enrolments) {
      tags.insert(tags.end(), enrolment.tags.begin(), enrolment.tags.end());
    }
  }
  for (const Selector& selector : record.selectors) {
    if (first != nullptr || (named && !selector.in_roster)) continue;
    tags.insert(tags.end(), selector.tags.begin(), selector.tags.end());
  }
  std::ranges::sort(tags);
  const auto repeats = std::ranges::unique(tags);
  tags.erase(repeats.begin(), repeats.end());
  return tags;
}

bool forget_stale_tags(MemberRecord& record) {
  if (!named_by_roster(record) && !is_enrolled(record)) return false;
  bool changed = false;
  for (Selector& selector : record.selectors) {
    if (selector.in_roster || selector.tags.empty()) continue;
    selector.tags.clear();
    changed = true;
  }
  return changed;
}

bool enrol(MemberRecord& record, const MemberKey& key, const std::string& name,
           const Enrolment& enrolment) {
  auto& all = record.selectors;
  auto own = std::ranges::find(all, key, &Selector::key);
  if (own == all.end()) {
    own = all.insert(all.end(), Selector{});
    own->key = key;
  }
  bool changed = own->name.empty() && !name.empty();
  if (changed) own->name = name;
  Enrolment* const known = enrolment_of(*own, enrolment.client);
  if (known == nullptr) {
    add_enrolment(*own, enrolment);
    changed = true;
  } else if (known->tags != enrolment.tags) {
    known->tags = enrolment.tags;  // its grant gives others by now
    changed = true;
  }
  return forget_stale_tags(record) || changed;
}

bool end_enrolments(MemberRecord& record, std::string_view client) {
  bool changed = false;
  for (Selector& selector : record.selectors) {
    const auto ended = erase_if(selector.enrolments, [client](const Enrolment& enrolment) {
      return client.empty() || enrolment.client == client;
    });
    changed = changed || ended > 0;
  }
  return changed;
}

WallTime last_wanted(const MemberRecord& record) {
  WallTime last = record.last_used;
  for (const Selector& selector : record.selectors) {
    for (const Enrolment& enrolment : selector.enrolments) last = std::max(last, enrolment.since);
  }
  return last;
}

void unite_spellings(MemberRecord& record) {
  SlimVector<Selector> united;
  for (Selector& selector : record.selectors) {
    const auto same = std::ranges::find(united, selector.key, &Selector::key);
    if (same == united.end()) {
      united.push_back(std::move(selector));
      continue;
    }
    const bool stays = same->in_roster && !selector.in_roster;
    Selector& kept = stays ? *same : selector;
    const Selector& other = stays ? selector : *same;
    // An entry that keeps the member out does so under either spelling.
    kept.retired |= kept.in_roster && other.in_roster && other.retired;
    kept.was_in_roster |= other.was_in_roster;
    for (const Enrolment& enrolment : other.enrolments) add_enrolment(kept, enrolment);
    if (!stays) *same = std::move(selector);
  }
  record.selectors = std::move(united);
}

const MemberKey& primary_key(const MemberRecord& record) {
  ROTA_CHECK(!record.selectors.empty());
  const auto named = std::ranges::find_if(record.selectors, &Selector::in_roster);
  if (named != record.selectors.end()) return named->key;
  const auto enrolled = std::ranges::find_if_not(record.selectors, is_without_enrolment);
  return enrolled == record.selectors.end() ? record.selectors.front().key : enrolled->key;
}

}  // namespace rota
