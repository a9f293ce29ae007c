#include "table/table.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace rota {

void Table::publish(Published row) {
  const MemberId member = row.member;
  if (const auto it = rows_.find(member); it != rows_.end()) {
    drop_keys(it->second);
    it->second = std::move(row);
  } else {
    rows_.emplace(member, std::move(row));
  }
  const Published& stored = rows_.at(member);
  for (const MemberKey& key : stored.keys) by_key_.insert_or_assign(key.text(), &stored);
}

void Table::forget(MemberId member) {
  const auto it = rows_.find(member);
  if (it == rows_.end()) return;
  drop_keys(it->second);
  rows_.erase(it);
}

const Published* Table::find(std::string_view key) const {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : it->second;
}

const Published* Table::find(MemberId member) const {
  const auto it = rows_.find(member);
  return it == rows_.end() ? nullptr : &it->second;
}

void Table::drop_keys(const Published& row) {
  for (const MemberKey& key : row.keys) {
    // A key that another member was published with since is not ours to drop.
    const auto it = by_key_.find(key.text());
    if (it != by_key_.end() && it->second == &row) by_key_.erase(it);
  }
}

SecretPtr make_token_body(const Token& access, std::int64_t community_member_id,
                          std::int64_t community_id) {
  ROTA_CHECK(access.kind == TokenKind::kAccess && access.value);
  // A token is a JWT in practice, but nothing forbids Circle a quote in it.
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
