#include "api/circle_logins.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.h"
#include "model/expiry.h"

namespace rota {
namespace {

RefusalGuess::Client client_of(std::string_view holder) {
  return std::hash<std::string_view>{}(holder);
}

std::uint32_t number_of(const Published& row, std::string_view holder) {
  const auto count = std::ranges::find(row.handles, holder, &HandleCount::holder);
  return count == row.handles.end() ? 0 : count->number;
}

}  // namespace

CircleLogins::CircleLogins(const Clock& clock, Secret key) : clock_(clock), key_(std::move(key)) {
  ROTA_CHECK(key_.size() == kHandleKeyBytes);
}

CircleLogins::Made CircleLogins::make(const Published& row, std::string_view holder,
                                      WallTime circle_now) const {
  const Handle handle{
      .community_member_id = row.community_member_id,
      .community_id = row.community_id,
      .holder = std::string(holder),
      .number = number_of(row, holder),
      .expires_at = std::chrono::floor<std::chrono::seconds>(circle_now + kHandleLife)};
  return {.text = make_handle(handle, row.login_epoch, key_), .expires_at = handle.expires_at};
}

CircleLogins::Judged CircleLogins::judge(std::string_view text, const Table& table,
                                         WallTime circle_now) const {
  const auto claims = claims_of(text);
  if (!claims) return NotFound{};
  const auto key = MemberKey::from_id(claims->community_member_id);
  const Published* const row = key ? table.find(*key) : nullptr;
  if (row == nullptr) return NotFound{};
  auto handle = read_handle(text, row->login_epoch, key_);
  if (!handle || handle->number != number_of(*row, handle->holder)) return NotFound{};
  if (handle->expires_at <= circle_now) return Expired{};
  return Good{.handle = *std::move(handle), .row = row};
}

bool CircleLogins::doubts(std::string_view holder, const Published& row) {
  return guess_.doubts(client_of(holder), row.member, row.fingerprint, clock_.now().boot);
}

bool CircleLogins::refuses(std::string_view holder, const Published& row) {
  return guess_.refuses(client_of(holder), row.member, row.fingerprint, clock_.now().boot);
}

void CircleLogins::note_given(std::string_view holder, const Published& row) {
  guess_.note_given(client_of(holder), row.member, row.fingerprint, clock_.now().boot);
}

}  // namespace rota
