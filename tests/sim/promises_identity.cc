#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "sim/promises.h"
#include "sim/world.h"

// P13: whose tokens are served under which name.

namespace rota::sim {

void Promises::p13_pin_stays(MemberId member) {
  const Durable::Member* now = durable().find(member);
  if (now == nullptr) return;
  const auto before = pins_before_.find(member);
  if (before != pins_before_.end() && before->second && before->second != now->pin) {
    // A mismatched record, whose token nobody gets, gives up its pin to the record of that member.
    const bool yields = now->state == MemberState::kMismatched && !now->pin;
    if (!yields && accepted_.erase(member) == 0)
      world_.breach(fmt::format("P13: member {}, once {}, is {}", now->selectors.front().key.text(),
                                *before->second, now->pin.value_or(0)));
    for (const Selector& selector : now->selectors) owners_.erase(selector.key.text());
  }
  if (!now->pin) return;
  for (const Selector& selector : now->selectors) {
    if (selector.key.kind == SelectorKind::kCommunityMemberId && selector.key.id() != *now->pin) {
      world_.breach("P13: a member is pinned to another id than its selector names");
    }
    p13_owns(selector.key, *now->pin);
    if (selector.resolved_at != WallTime{}) p13_leads_to(selector.key, *now->pin);
  }
}

// Rota has asked for this name, and goes by it.
void Promises::p13_leads_to(const MemberKey& key, std::int64_t pin) {
  const auto at_circle = world_.circle().owner_of(key);
  if (at_circle && *at_circle != pin && !world_.circle().moved_at(key)) {
    world_.breach(
        fmt::format("P13: {} is taken for member {}, and is {} at Circle, and was never moved",
                    key.text(), pin, *at_circle));
  }
}

// Nobody remembers whose these names were. They are still that member's, unless Circle has moved
// them since.
void Promises::p13_forgets(const Durable::Member& member) {
  for (const Selector& name : member.selectors) {
    const auto owner = owners_.find(name.key.text());
    if (owner != owners_.end()) owner->second.forgotten = true;
  }
}

// A name that Circle no longer knew may have gone from its member and from the disk in one batch.
void Promises::p13_forgets_lost_names() {
  for (const auto& [id, before] : names_before_) {
    const Durable::Member* now = durable().find(id);
    if (now == nullptr) continue;  // p13_forgets() was called for it
    for (const Selector& name : before) {
      const auto has_it = [&name](const Durable::Member& member) {
        return std::ranges::any_of(member.selectors,
                                   [&name](const Selector& has) { return has.key == name.key; });
      };
      if (has_it(*now)) continue;
      const auto owner = owners_.find(name.key.text());
      if (owner != owners_.end() &&
          std::ranges::none_of(durable().members() | std::views::values, has_it)) {
        owner->second.forgotten = true;
      }
    }
  }
}

void Promises::p13_owns(const MemberKey& key, std::int64_t pin) {
  Owner& owner = owners_.try_emplace(key.text(), Owner{.pin = pin}).first->second;
  if (!owner.forgotten) return;
  world_.note("p13.forgotten");
  if (owner.pin != pin && !world_.circle().moved_at(key)) {
    world_.breach(fmt::format("P13: {}, once {} and forgotten, is {}, and was never moved",
                              key.text(), owner.pin, pin));
  }
  owner = {.pin = pin};
}

// A moved address is found out at the renewal of the pair at the latest.
void Promises::p13_moved_address_is_found_out(const MemberKey& key, sandbox::MemberId served) {
  const auto moved = world_.circle().moved_at(key);
  if (!settled() || !moved || world_.circle().owner_of(key) == served) return;
  world_.note("p13.moved_address");
  const Duration since = world_.time().now() - *moved;
  // A refresh just before the pair's end brings a token that outlives it.
  const auto& circle = world_.options().circle;
  if (since > circle.refresh_ttl + circle.access_ttl + bound()) {
    world_.breach(fmt::format("P13: {} is another member's for {} ms, and served the one before",
                              key.text(), since.count()));
  }
}

void Promises::p13_is_who_it_was(const TokenQuery& query, const Published& row) {
  const sandbox::Ledger& ledger = world_.circle().circle().ledger();
  const auto id = ledger.find(row.access_token->reveal());
  if (!id) return;  // the token is long dead, which another check reports
  const sandbox::MemberId served = ledger.at(*id).member;
  p13_moved_address_is_found_out(query.member.key, served);
  const bool by_id = query.member.key.kind == SelectorKind::kCommunityMemberId;
  const auto owner = owners_.find(query.member.key.text());
  if ((by_id && query.member.key.id() != served) ||
      (owner != owners_.end() && owner->second.pin != served)) {
    world_.breach(
        fmt::format("P13: {} is served the token of member {}", query.member.key.text(), served));
  }
}

}  // namespace rota::sim
