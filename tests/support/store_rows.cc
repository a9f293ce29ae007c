#include "support/store_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <span>
#include <utility>

namespace rota::testing {
namespace {

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }

std::string number(std::optional<WallTime> time) {
  return time ? fmt::format("{}", number(*time)) : "-";
}

std::string number(SmallOptional<std::int64_t> value) {
  return value ? fmt::format("{}", *value) : "-";
}

std::string describe_member(const MemberRecord& row) {
  std::string text =
      fmt::format("member {} {} since {} circle {} {} renew {}\n", std::to_underlying(row.id),
                  name_of(row.state), number(row.state_since), number(row.community_member_id),
                  number(row.community_id), number(row.renew_not_before));
  text += fmt::format("  signed out {} login epoch {:02x}\n", number(row.signed_out_at),
                      fmt::join(row.login_epoch, ""));
  for (const Selector& selector : row.selectors) {
    text +=
        fmt::format("  selector {:?} in_roster {} was {} retired {} name {:?} tags {} at {}\n",
                    selector.key.text(), selector.in_roster, selector.was_in_roster,
                    selector.retired, selector.name, selector.tags, number(selector.resolved_at));
    for (const Enrolment& enrolment : selector.enrolments) {
      text += fmt::format("    enrolled by {:?} since {} tags {}\n", enrolment.client,
                          number(enrolment.since), enrolment.tags);
    }
  }
  for (const HandleCount& handle : row.handles) {
    text += fmt::format("  handles of {:?}: {}\n", handle.holder, handle.number);
  }
  for (const Token& token : row.tokens) {
    text += fmt::format("  token {} {} {} {:?} {} {} {} {}\n", std::to_underlying(token.id),
                        name_of(token.kind), name_of(token.status), token.value->reveal(),
                        format_fingerprint(token.fingerprint), number(token.issued_at),
                        number(token.expires_at), number(token.status_since));
  }
  return text;
}

// A time that differs from row to row, for ids of any size.
WallTime after(std::int64_t base, std::int64_t id) { return at(base + id % 1'000); }

}  // namespace

MemberRecord make_member(std::int64_t id) {
  MemberRecord row;
  row.id = MemberId{id};
  row.state_since = after(1'000, id);
  row.selectors = {{.key = {SelectorKind::kCommunityMemberId, fmt::format("{}", id)},
                    .in_roster = true,
                    .was_in_roster = true,
                    .name = fmt::format("Member {}", id),
                    .tags = {},
                    .enrolments = {}}};
  return row;
}

Token make_token(std::int64_t id, std::string_view value, TokenKind kind, TokenStatus status) {
  return {.id = TokenId{id},
          .kind = kind,
          .status = status,
          .value = make_secret(value),
          .fingerprint = fingerprint_of(value),
          .issued_at = after(10'000, id),
          .expires_at = after(20'000, id),
          .status_since = after(15'000, id)};
}

CallRow make_call(std::int64_t id, std::int64_t member) {
  CallRow row;
  row.id = CallId{id};
  row.member = MemberId{member};
  row.opened_at = after(30'000, id);
  return row;
}

Result<Snapshot> load_all(TokenStore& store) {
  ROTA_ASSIGN(Snapshot loaded, store.load());
  for (MemberRecord& record : loaded.members) {
    for (Token& token : record.tokens) {
      if (token.value != nullptr) continue;
      ROTA_ASSIGN(OpenedTokens opened, store.open_tokens(std::span(&token.id, 1)));
      token.value = opened.at(token.id);
    }
  }
  return loaded;
}

std::string describe(const Snapshot& snapshot) {
  std::string text;
  for (const MemberRecord& row : snapshot.members) text += describe_member(row);
  for (const CallRow& row : snapshot.calls) {
    text += fmt::format("call {} {} member {} opened {} closed {} {} doubt {}\n",
                        std::to_underlying(row.id), name_of(row.kind),
                        std::to_underlying(row.member), number(row.opened_at),
                        number(row.closed_at), name_of(row.fate), number(row.doubt_until));
  }
  text += fmt::format("circle time {} skew {} early refresh useless {}\n",
                      number(snapshot.meta.last_circle_time), snapshot.meta.clock_skew.count(),
                      snapshot.meta.early_refresh_useless);
  text +=
      fmt::format("next member {} token {} call {}\n", std::to_underlying(snapshot.next_member),
                  std::to_underlying(snapshot.next_token), std::to_underlying(snapshot.next_call));
  return text + fmt::format("set aside {}\n", snapshot.rows_set_aside);
}

}  // namespace rota::testing
