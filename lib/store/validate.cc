#include "store/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

namespace rota {
namespace {

template <class Id>
Result<void> validate_id(std::string_view what, Id id) {
  const std::int64_t number = std::to_underlying(id);
  // The next free id is one more and must be a number as well.
  if (number < 1 || number == std::numeric_limits<std::int64_t>::max()) {
    return fail(ErrorKind::kInvalid, fmt::format("{} is no {} id", number, what));
  }
  return {};
}

// They are sorted by their name, which is neither empty nor there twice.
template <class Rows>
Result<void> validate_order(const Rows& rows, auto name, MemberId member, std::string_view what) {
  const bool sorted = std::ranges::adjacent_find(rows, std::ranges::greater_equal{}, name) ==
                      std::ranges::end(rows);
  // An empty name would come first.
  if (sorted && (rows.empty() || !std::invoke(name, rows.front()).empty())) return {};
  return fail(ErrorKind::kInvalid, fmt::format("member {} has {} out of order or without a name",
                                               std::to_underlying(member), what));
}

struct Validator {
  Result<void> operator()(const PutMember& put) const {
    ROTA_TRY(validate_id("member", put.row.id));
    for (const Selector& selector : put.row.selectors) {
      ROTA_TRY(validate_order(selector.enrolments, &Enrolment::client, put.row.id, "enrolments"));
    }
    return validate_order(put.row.handles, &HandleCount::holder, put.row.id, "handle counts");
  }
  Result<void> operator()(const ForgetMember&) const { return {}; }
  Result<void> operator()(const PutUse&) const { return {}; }
  Result<void> operator()(const PutToken& put) const {
    ROTA_TRY(validate_id("member", put.member));
    ROTA_TRY(validate_id("token", put.token.id));
    if (!put.token.value && put.token.kind == TokenKind::kAccess) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("token {} has no value", std::to_underlying(put.token.id)));
    }
    return {};
  }
  Result<void> operator()(const EraseToken&) const { return {}; }
  Result<void> operator()(const PutCall& put) const { return validate_id("call", put.row.id); }
  Result<void> operator()(const EraseCall&) const { return {}; }
  Result<void> operator()(const Scrub&) const { return {}; }
  Result<void> operator()(const PutMeta&) const { return {}; }
};

}  // namespace

Result<void> validate(const Mutation& mutation) { return std::visit(Validator{}, mutation); }

std::unexpected<Error> no_such_member(const PutToken& put) {
  return fail(ErrorKind::kInvalid,
              fmt::format("token {} is for member {}, who is not on record",
                          std::to_underlying(put.token.id), std::to_underlying(put.member)));
}

void LostTokens::put(const PutToken& put, bool is_on_record) {
  if (put.token.value == nullptr && !is_on_record) {
    lost_.insert_or_assign(put.token.id, put.member);
  } else {
    lost_.erase(put.token.id);
  }
}

void LostTokens::forget(MemberId member) {
  std::erase_if(lost_, [member](const auto& each) { return each.second == member; });
}

Result<void> LostTokens::none() const {
  if (lost_.empty()) return {};
  const auto& [token, member] = *lost_.begin();
  return fail(ErrorKind::kInvalid,
              fmt::format("token {} of member {} comes without its value and is not on record; if "
                          "another program has changed the database, restart rotad",
                          std::to_underlying(token), std::to_underlying(member)));
}

}  // namespace rota
