#include "engine/roster_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "plan/lifecycle.h"

namespace rota {
namespace {

constexpr std::size_t kKeysPerWrite = 4;
constexpr std::size_t kCallsPerAdd = 1;
constexpr std::size_t kCallsPerRetire = 2;  // a refresh token and an access token

bool is_entry(const Selector& selector, const RosterEntry& entry) {
  return selector.name == entry.name && selector.tags == entry.tags &&
         selector.retired == entry.retired && selector.key.same_spelling(entry.key);
}

// Different for different entries. Begins with a sign that no key begins with.
std::string step_text(std::string_view sign, const RosterEntry& entry) {
  std::string text = fmt::format("{}{}\n{}:{}\n{}", sign, entry.key.text(), entry.name.size(),
                                 entry.name, entry.retired);
  for (const std::string& tag : entry.tags) text += fmt::format(",{}:{}", tag.size(), tag);
  return text + '\n';
}

const Selector* in_force(const MemberRecord* member, const MemberKey& key) {
  if (member == nullptr) return nullptr;
  const auto own = std::ranges::find_if(
      member->selectors, [&key](const Selector& s) { return s.in_roster && s.key == key; });
  return own == member->selectors.end() ? nullptr : &*own;
}

}  // namespace

RosterJob::RosterJob(SortedRosterPtr wanted) : wanted_(std::move(wanted)) {}

RosterJob::Look RosterJob::next_look(std::uint64_t generation, MemberId end) {
  ROTA_CHECK(stage_ == Stage::kComparing);
  if (generation_ != generation) begin_anew(generation);
  if (part_ == Part::kWanted && at_ == wanted_->size()) {
    part_ = Part::kInForce;
    at_ = 0;
  }
  const MemberId member{static_cast<std::int64_t>(at_)};
  if (part_ == Part::kInForce && member >= end) {
    part_ = Part::kName;
    at_ = 0;
  }
  switch (part_) {
    case Part::kWanted:
      return {.key = &wanted_->at(at_).key};
    case Part::kInForce:
      return {.member = member};
    case Part::kName:
      return {};
  }
  ROTA_CHECK(false);
}

void RosterJob::compare(const MemberRecord* shown) {
  ROTA_CHECK(stage_ == Stage::kComparing && generation_);
  switch (part_) {
    case Part::kWanted:
      return look_at_wanted(shown, wanted_->at(at_++));
    case Part::kInForce:
      ++at_;
      if (shown != nullptr) look_at_member(*shown);
      return;
    case Part::kName:
      return name_next();
  }
}

void RosterJob::begin_anew(std::uint64_t generation) {
  if (generation_) outdated_.push_back(std::exchange(found_, std::make_shared<Found>()));
  generation_ = generation;
  part_ = Part::kWanted;
  at_ = 0;
}

void RosterJob::look_at_wanted(const MemberRecord* member, const RosterEntry& entry) {
  const Selector* old = in_force(member, entry.key);
  const bool was_active = old != nullptr && !old->retired;
  if (!entry.retired && !was_active) {
    found_->add.push_back(&entry);
    found_->plan->add.push_back(entry.key);
  } else if (entry.retired && was_active) {
    leaves(entry.key);
  } else if (old == nullptr || !is_entry(*old, entry)) {
    // A new entry with retired = true may be another name of a member in force: that retires it,
    // and the guard has to count it.
    if (entry.retired && member != nullptr && is_wanted(*member)) return leaves(entry.key);
    found_->change.push_back(&entry);
    found_->plan->change.push_back(entry.key);
  }
}

void RosterJob::look_at_member(const MemberRecord& member) {
  for (const Selector& selector : member.selectors) {
    if (!selector.in_roster) {
      // A job that ended in the middle may have left them.
      if (!selector.tags.empty() && named_by_roster(member)) {
        found_->forget_tags.push_back(selector.key);
      }
      continue;
    }
    if (!selector.retired) ++found_->active;
    if (wanted_->find(selector.key) != nullptr) continue;
    if (selector.retired) {
      found_->drop.push_back(selector.key);
    } else {
      leaves(selector.key);
    }
  }
}

void RosterJob::leaves(const MemberKey& key) {
  found_->retire.insert(key);
  found_->retire_texts.insert(key.text());
}

void RosterJob::name_next() {
  RosterPlan& plan = *found_->plan;
  if (!found_->retire.empty()) {
    plan.retire.push_back(std::move(found_->retire.extract(found_->retire.begin()).value()));
    auto& texts = found_->retire_texts;
    found_->name.add(texts.extract(texts.begin()).value() + '\n');  // no key holds one
    return;
  }
  const auto& add = found_->add;
  const auto& change = found_->change;
  if (plan.retire.empty() && at_ < add.size() + change.size()) {
    const bool adds = at_ < add.size();
    found_->name.add(adds ? step_text("+", *add[at_]) : step_text("~", *change[at_ - add.size()]));
    ++at_;
    return;
  }
  at_ = 0;
  plan.id = format_fingerprint(found_->name.finish());
  plan.calls = plan.add.size() * kCallsPerAdd + plan.retire.size() * kCallsPerRetire;
  stage_ = Stage::kJudging;
}

bool RosterJob::changes_anything() const {
  const RosterPlan& plan = *found_->plan;
  return !plan.add.empty() || !plan.change.empty() || !plan.retire.empty() || !found_->drop.empty();
}

void RosterJob::judge(bool held) {
  ROTA_CHECK(stage_ == Stage::kJudging);
  found_->plan->held = held;
  stage_ = Stage::kWriting;
}

void RosterJob::write() {
  ROTA_CHECK(stage_ == Stage::kWriting);
  if (!writer_.write(*found_->plan, kKeysPerWrite)) return;
  found_->plan->json = writer_.take();
  stage_ = Stage::kChanging;
}

// The plan is a part of what was found: it keeps the rest, which is no larger.
RosterPlanPtr RosterJob::written_plan() const {
  ROTA_CHECK(stage_ == Stage::kChanging || stage_ == Stage::kDone);
  return {found_, found_->plan.get()};
}

// Null: the list is at its end, and the next one comes.
template <class Items>
const typename Items::value_type* RosterJob::next_of(const Items& items) {
  if (at_ < items.size()) return &items[at_++];
  at_ = 0;
  list_ = static_cast<List>(std::to_underlying(list_) + 1);
  return nullptr;
}

std::optional<RosterChange> RosterJob::next_change() {
  using Kind = RosterChange::Kind;
  ROTA_CHECK(stage_ == Stage::kChanging);
  const bool held = found_->plan->held;
  static const std::vector<MemberKey> kNone;
  while (true) {
    const RosterEntry* const* entry = nullptr;
    const MemberKey* key = nullptr;
    switch (list_) {
      case List::kAdd:
        entry = next_of(found_->add);
        break;
      case List::kChange:
        entry = next_of(found_->change);
        break;
      case List::kRetire:
        key = next_of(held ? kNone : found_->plan->retire);
        break;
      case List::kDrop:
        key = next_of(found_->drop);
        break;
      case List::kForgetTags:
        // Only now: of several entries that leave at once, each keeps its tags if none stays.
        key = next_of(found_->forget_tags);
        if (key != nullptr) return RosterChange{.kind = Kind::kForgetTags, .key = key};
        break;
      case List::kEnd:
        stage_ = Stage::kDone;
        return std::nullopt;
    }
    if (entry != nullptr) return RosterChange{.kind = Kind::kPut, .entry = *entry};
    if (key != nullptr) {
      found_->forget_tags.push_back(*key);
      return RosterChange{.kind = Kind::kTakeOut, .key = key};
    }
  }
}

}  // namespace rota
