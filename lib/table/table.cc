#include "table/table.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/check.h"

namespace rota {

namespace {

bool looks_the_same(const Published& a, const Published& b) {
  return a.state == b.state && a.fingerprint == b.fingerprint && a.expires_at == b.expires_at &&
         (a.access_token == nullptr) == (b.access_token == nullptr) && a.keys == b.keys &&
         a.tags == b.tags && a.login_epoch == b.login_epoch;
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
  row.sign_outs = stored.sign_outs + (!added && stored.login_epoch != row.login_epoch ? 1U : 0U);
  row.place = added ? static_cast<std::uint32_t>(in_places_.size()) : stored.place;
  if (added) in_places_.push_back(&stored);
  if (changed) {
    by_change_.erase({stored.change, &stored});
    by_change_.insert({row.change, &stored});
  }
  stored = std::move(row);
  for (const MemberKey& key : stored.keys) {
    by_key_.erase({&key});  // it may be in the index as the key of another row
    by_key_.try_emplace({&key}).first = &stored;
  }
  if (!changed) return;
  tell_changed(stored);
  subscriptions_.any_changed();
}

void Published::drop_token(std::optional<Fingerprint> only) {
  if (only && *only != fingerprint) return;
  access_token.reset();
  escaped_token.reset();
  fingerprint = 0;
  issued_at = {};
  expires_at = {};
}

void Table::unserve(MemberId member, std::optional<Fingerprint> only) {
  const Published* const stored = rows_.find(member);
  if (stored == nullptr) return;
  Published row = *stored;
  row.drop_token(only);
  publish(std::move(row));
}

bool Published::drop_tags_but(const std::vector<std::string>& kept) {
  return erase_if(tags, [&kept](const std::string& tag) {
           return !std::ranges::binary_search(kept, tag);
         }) > 0;
}

void Table::keep_tags(MemberId member, const std::vector<std::string>& tags) {
  const Published* const stored = rows_.find(member);
  if (stored == nullptr) return;
  Published row = *stored;
  if (row.drop_tags_but(tags)) publish(std::move(row));
}

void Table::forget(MemberId member) {
  const Published* row = rows_.find(member);
  if (row == nullptr) return;
  tell_changed(*row);
  drop_keys(*row);
  by_change_.erase({row->change, row});
  const Published* last = in_places_.back();
  in_places_.at(row->place) = last;
  rows_.find(last->member)->place = row->place;
  in_places_.pop_back();
  rows_.erase(member);
}

const Published* Table::next_changed(std::uint64_t after) const {
  const auto it = by_change_.lower_bound({after + 1, nullptr});
  return it == by_change_.end() ? nullptr : it->second;
}

void Table::tell_changed(const Published& row) const {
  if (!subscriptions_.follows_keys()) return;
  for (const MemberKey& key : row.keys) subscriptions_.key_changed(key);
}

const Published* Table::find(const MemberKey& key) const {
  const Published* const* row = by_key_.find({&key});
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
    const Published* const* last = by_key_.find({&key});
    if (last != nullptr && *last == &row) by_key_.erase({&key});
  }
}

SecretPtr escaped_for_json(const Secret& token) {
  const auto is_escaped = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
  };
  if (std::ranges::none_of(token.reveal(), is_escaped)) return nullptr;
  const std::string_view text = token.reveal();
  std::string quoted = boost::json::serialize(boost::json::string_view(text.data(), text.size()));
  SecretPtr escaped = make_secret(std::string_view(quoted).substr(1, quoted.size() - 2));
  wipe(quoted);
  return escaped;
}

}  // namespace rota
