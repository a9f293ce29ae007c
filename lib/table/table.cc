#include "table/table.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace rota {

namespace {

bool looks_the_same(const Published& a, const Published& b) {
  return a.state == b.state && a.fingerprint == b.fingerprint && a.expires_at == b.expires_at &&
         (a.body == nullptr) == (b.body == nullptr) && a.keys == b.keys && a.tags == b.tags;
}

}  // namespace

void Table::publish(Published row) {
  const auto [stored, added] = rows_.try_emplace(row.member);
  const bool changed = added || !looks_the_same(stored, row);
  if (!added) {
    // The row may lose a key: those that follow that key must be told as well.
    if (changed) tell_changed(stored);
    drop_keys(stored);
  }
  row.change = changed ? ++last_change_ : stored.change;
  row.place = added ? in_places_.size() : stored.place;
  if (added) in_places_.push_back(&stored);
  if (changed) {
    by_change_.erase(stored.change);
    by_change_.emplace(row.change, &stored);
  }
  stored = std::move(row);
  for (const MemberKey& key : stored.keys) by_key_.try_emplace(key).first = &stored;
  if (!changed) return;
  tell_changed(stored);
  subscriptions_.any_changed();
}

void Table::forget(MemberId member) {
  const Published* row = rows_.find(member);
  if (row == nullptr) return;
  tell_changed(*row);
  drop_keys(*row);
  by_change_.erase(row->change);
  const Published* last = in_places_.back();
  in_places_.at(row->place) = last;
  rows_.find(last->member)->place = row->place;
  in_places_.pop_back();
  rows_.erase(member);
}

const Published* Table::next_changed(std::uint64_t after) const {
  const auto it = by_change_.upper_bound(after);
  return it == by_change_.end() ? nullptr : it->second;
}

void Table::tell_changed(const Published& row) const {
  if (!subscriptions_.follows_keys()) return;
  for (const MemberKey& key : row.keys) subscriptions_.key_changed(key);
}

const Published* Table::find(const MemberKey& key) const {
  const Published* const* row = by_key_.find(key);
  return row == nullptr ? nullptr : *row;
}

Table::Lookup Table::look_up(const MemberKey& key) const {
  // A key that no roster can hold.
  static const MemberKey kNobody{SelectorKind::kSsoUserId, "\n"};
  static const Published kEmpty = [] {
    Published row;
    row.keys.push_back(kNobody);
    return row;
  }();
  const Published* row = find(key);
  const Published& other =
      in_places_.empty() ? kEmpty : *in_places_[std::hash<MemberKey>{}(key) % in_places_.size()];
  // So every call makes one search that finds a row and one that does not.
  const Published* second = find(row != nullptr ? kNobody : other.keys.front());
  const Published* examined = row != nullptr ? row : second != nullptr ? second : &other;
  return {.row = row, .examined = examined};
}

const Published* Table::find(std::string_view key) const {
  const auto parsed = MemberKey::parse(key);
  return parsed ? find(*parsed) : nullptr;
}

const Published* Table::find(MemberId member) const { return rows_.find(member); }

void Table::drop_keys(const Published& row) {
  for (const MemberKey& key : row.keys) {
    // Another member may have been published with this key since, and owns it now.
    const Published* const* last = by_key_.find(key);
    if (last != nullptr && *last == &row) by_key_.erase(key);
  }
}

SecretPtr make_token_body(const Token& access, std::int64_t community_member_id,
                          std::int64_t community_id) {
  ROTA_CHECK(access.kind == TokenKind::kAccess && access.value);
  // In practice a token is a JWT, but Circle may put a quote into it.
  std::string quoted = boost::json::serialize(
      boost::json::string_view(access.value->reveal().data(), access.value->reveal().size()));
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text),
                 R"({{"access_token":{},"access_token_expires_at":"{}","community_member_id":{},)"
                 R"("community_id":{}}})",
                 quoted, format_iso8601(access.expires_at), community_member_id, community_id);
  auto body = make_secret(std::string_view(text.data(), text.size()));
  wipe(quoted);
  wipe(std::span<char>(text.data(), text.size()));
  return body;
}

}  // namespace rota
