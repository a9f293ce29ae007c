// SqliteStore::load(): the whole database as records. All rows of members come in the order of the
// member's id; tokens find their member by a binary search.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "sqlite/schema.h"
#include "sqlite/sqlite_store.h"
#include "sqlite/statements.h"
#include "sqlite/token_opener.h"
#include "sqlite/token_row.h"

namespace rota {
namespace {

std::optional<WallTime> optional_time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return time_at(row, column);
}

std::optional<std::int64_t> optional_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

// At a million ids a second it takes a year to use so many.
constexpr std::int64_t kIdGapMax = std::int64_t{1} << 45;
// About 35,000 years.
constexpr Duration kTimeMax{std::int64_t{1} << 50};

class Loader {
 public:
  Loader(Database& database, const Sealer& sealer, SealForm form, TokenOpener::Values values)
      : database_(database),
        sealer_(sealer),
        form_(form),
        opener_(sealer, form, values, [this](MemberId owner, Token token, bool believed) {
          opened(owner, std::move(token), believed);
        }) {}

  struct Loaded {
    Snapshot snapshot;
    // Tokens that were set aside, by members that were not.
    std::multimap<MemberId, TokenId> tokens_set_aside;
  };
  Result<Loaded> load() {
    ROTA_TRY(rows(sql::kLoadMembers, &Loader::member));
    ROTA_TRY(rows(sql::kLoadSelectors, &Loader::selector));
    ROTA_TRY(rows(sql::kLoadTags, &Loader::tag));
    if (has_enrolments(form_)) {
      ROTA_TRY(rows(sql::kLoadEnrolments, &Loader::enrolment));
      ROTA_TRY(rows(sql::kLoadEnrolmentTags, &Loader::enrolment_tag));
      ROTA_TRY(rows(sql::kLoadHandles, &Loader::handle));
    }
    set_aside_what_is_not_as_sealed();
    ROTA_TRY(rows(sql::kLoadTokens, &Loader::token));
    opener_.finish();
    ROTA_TRY(rows(sql::kLoadCalls, &Loader::call));
    ROTA_TRY(rows(sql::kLoadMeta, &Loader::meta));
    if (!roster_is_whole_) snapshot_.meta.roster = 0;
    ROTA_TRY(rows(sql::kLoadNextIds, &Loader::next_id));
    return Loaded{.snapshot = std::move(snapshot_),
                  .tokens_set_aside = std::move(tokens_set_aside_)};
  }

 private:
  Result<void> rows(const char* query, Result<void> (Loader::*read)(const Statement&)) {
    ROTA_ASSIGN(Statement statement, database_.prepare(query));
    return statement.for_each([this, read](const Statement& row) { return (this->*read)(row); });
  }

  // Null if there is no such member: it was set aside, or another program wrote here.
  MemberRecord* find(std::int64_t id) {
    const auto found =
        std::ranges::lower_bound(snapshot_.members, MemberId{id}, {}, &MemberRecord::id);
    return found != snapshot_.members.end() && found->id == MemberId{id} ? &*found : nullptr;
  }

  // Moves the counter `next` past an id that some row has, so that the id is not given again: the
  // row may have been set aside, and must not come back as another's. False if no Rota can have
  // given this id. Ids are given one after the other, so one that is too far ahead is wrong, and to
  // count on from it could leave no ids to give.
  template <class Id>
  static bool pass(Id& next, Id used) {
    const std::int64_t number = std::to_underlying(used);
    const std::int64_t reached = std::to_underlying(next);
    if (number < 1 || number - reached > kIdGapMax ||
        number == std::numeric_limits<std::int64_t>::max()) {
      return false;
    }
    next = std::max(next, Id{number + 1});
    return true;
  }

  // We do not calculate with a time that no clock can show: a sum could overflow.
  static bool is_time(const std::optional<WallTime>& time) {
    return !time || (time->time_since_epoch() <= kTimeMax && time->time_since_epoch() >= -kTimeMax);
  }

  // The parts of a member's row that are not in its record.
  struct Row {
    std::vector<unsigned char> seal;
    MemberSalt salt{};
    bool readable = true;
  };
  Row& row_of(const MemberRecord& record) {
    return rows_[static_cast<std::size_t>(&record - snapshot_.members.data())];
  }

  void set_aside(std::string_view table, std::int64_t row) {
    constexpr std::size_t kNamedMax = 5;
    ++snapshot_.rows_set_aside;
    if (snapshot_.set_aside.size() < kNamedMax) {
      snapshot_.set_aside.push_back(fmt::format("row {} of table {}", row, table));
    }
  }
  // If a record is not believed, its member starts anew, so the whole roster must be compared
  // again.
  void set_aside_record(std::int64_t member) {
    set_aside("member", member);
    roster_is_whole_ = false;
  }

  Result<void> member(const Statement& row) {
    MemberRecord& record = snapshot_.members.emplace_back();
    record.id = MemberId{row.integer(0)};
    Row& own = rows_.emplace_back();
    own.readable = read_enum<MemberState::kActive>(row, 1, record.state);
    record.state_since = time_at(row, 2);
    record.community_member_id = optional_at(row, 3);
    record.community_id = optional_at(row, 4);
    record.renew_not_before = time_at(row, 5);
    if (is_time(time_at(row, 6))) record.last_used = time_at(row, 6);
    const std::span<const unsigned char> seal = row.bytes(7);
    own.seal.assign(seal.begin(), seal.end());
    own.salt = read_salt(row.bytes(8)).value_or(MemberSalt{});
    own.readable = pass(snapshot_.next_member, record.id) && own.readable;
    if (has_enrolments(form_)) {
      own.readable = read_epoch(row.bytes(9), record.login_epoch) && own.readable;
      record.signed_out_at = time_at(row, 10);
    }
    return {};
  }

  // False if it has another size. None at all stands for zeros: nobody drew one yet.
  static bool read_epoch(std::span<const unsigned char> bytes, LoginEpoch& out) {
    if (bytes.empty()) return true;
    if (bytes.size() != out.size()) return false;
    std::ranges::copy(bytes, out.begin());
    return true;
  }

  // If we believed a record that somebody changed, it could give one member's token to another, or
  // to a program that has no grant.
  void set_aside_what_is_not_as_sealed() {
    std::vector<MemberRecord> believed;
    std::vector<Row> rows;
    believed.reserve(snapshot_.members.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      MemberRecord& record = snapshot_.members[i];
      Row& own = rows_[i];
      if (own.readable &&
          (form_ == SealForm::kFirst || sealer_.holds(own.seal, record, own.salt, form_))) {
        believed.push_back(std::move(record));
        rows.push_back(std::move(own));
      } else {
        set_aside_record(std::to_underlying(record.id));
      }
    }
    snapshot_.members = std::move(believed);
    rows_ = std::move(rows);
  }

  Result<void> selector(const Statement& row) {
    MemberRecord* const record = find(row.integer(0));
    if (record == nullptr) {
      set_aside_record(row.integer(0));
      return {};
    }
    Selector& selector = record->selectors.emplace_back();
    if (!read_enum<SelectorKind::kCommunityMemberId>(row, 1, selector.key.kind))
      row_of(*record).readable = false;
    selector.key.value = row.text(2);
    selector.in_roster = row.integer(3) != 0;
    selector.retired = row.integer(4) != 0;
    selector.name = row.text(5);
    selector.resolved_at = time_at(row, 6);
    // Before there were enrolments, every name came from a roster.
    selector.was_in_roster = !has_enrolments(form_) || row.integer(7) != 0;
    return {};
  }

  // The member of the row, and its selector that the row names. Null, and noted, if there is none.
  Selector* selector_of(const Statement& row) {
    MemberRecord* const record = find(row.integer(0));
    if (record == nullptr) {
      set_aside_record(row.integer(0));
      return nullptr;
    }
    const auto selector = static_cast<std::size_t>(row.integer(1));
    if (selector < record->selectors.size()) return &record->selectors[selector];
    row_of(*record).readable = false;
    return nullptr;
  }

  Result<void> tag(const Statement& row) {
    if (Selector* const selector = selector_of(row)) selector->tags.emplace_back(row.text(2));
    return {};
  }

  Result<void> enrolment(const Statement& row) {
    if (Selector* const selector = selector_of(row)) {
      selector->enrolments.push_back(
          {.client = std::string(row.text(2)), .tags = {}, .since = time_at(row, 3)});
    }
    return {};
  }

  Result<void> enrolment_tag(const Statement& row) {
    Selector* const selector = selector_of(row);
    if (selector == nullptr) return {};
    const auto enrolment = static_cast<std::size_t>(row.integer(2));
    if (enrolment < selector->enrolments.size()) {
      selector->enrolments[enrolment].tags.emplace_back(row.text(3));
    } else {
      row_of(*find(row.integer(0))).readable = false;
    }
    return {};
  }

  Result<void> handle(const Statement& row) {
    MemberRecord* const record = find(row.integer(0));
    if (record == nullptr) {
      set_aside_record(row.integer(0));
      return {};
    }
    const std::int64_t number = row.integer(2);
    if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) {
      row_of(*record).readable = false;
      return {};
    }
    record->handles.push_back(
        {.holder = std::string(row.text(1)), .number = static_cast<std::uint32_t>(number)});
    return {};
  }

  Result<void> token(const Statement& row) {
    TokenRow found = read_token_row(row, sealer_);
    const bool given = pass(snapshot_.next_token, found.token.id);
    pass(snapshot_.next_member, found.owner);
    MemberRecord* const record = find(row.integer(1));
    if (record == nullptr) {
      set_aside("token", row.integer(0));
      return {};
    }
    if (!given || !found.readable) {
      set_aside_token(record->id, found.token.id);
      return {};
    }
    opener_.add(record->id, std::move(found.token), row_of(*record).salt, found.sealed);
    return {};
  }

  void set_aside_token(MemberId owner, TokenId token) {
    set_aside("token", std::to_underlying(token));
    tokens_set_aside_.emplace(owner, token);
  }

  void opened(MemberId owner, Token token, bool believed) {
    if (!believed) {
      set_aside_token(owner, token.id);
      return;
    }
    find(std::to_underlying(owner))->tokens.push_back(std::move(token));
  }

  // A row of which something cannot be read may be a call whose reply was lost, with a pair of
  // tokens in it: so it is taken for an issue call that nobody answered (P3, P7).
  Result<void> call(const Statement& row) {
    CallRow call;
    call.id = CallId{row.integer(0)};
    bool readable = read_enum<CallKind::kIssue>(row, 1, call.kind);
    call.member = MemberId{row.integer(2)};
    call.opened_at = time_at(row, 3);
    call.closed_at = optional_time_at(row, 4);
    readable = read_enum<CallFate::kOpen>(row, 5, call.fate) && readable;
    call.doubt_until = optional_time_at(row, 6);
    if (!row.is_null(7) && !row.is_null(8)) {
      call.closed_stamp = {.boot = BootId{row.integer(7)},
                           .at = BootTime{Duration{row.integer(8)}}};
    }
    const std::optional<WallTime> boot_time = optional_time_at(row, 8);
    readable = is_time(call.opened_at) && is_time(call.closed_at) && is_time(call.doubt_until) &&
               is_time(boot_time) && readable;
    // No Rota can have made a call with such a number.
    const bool given = pass(snapshot_.next_call, call.id);
    if (!readable || !given) set_aside("call", row.integer(0));
    if (!readable) {
      call = {.id = call.id,
              .kind = CallKind::kIssue,
              .member = call.member,
              .opened_at = {},
              .closed_at = std::nullopt,
              .closed_stamp = std::nullopt,
              .fate = CallFate::kOpen,
              .doubt_until = std::nullopt};
    }
    if (given) snapshot_.calls.push_back(call);
    return {};
  }

  Result<void> meta(const Statement& row) {
    const auto key = static_cast<MetaKey>(row.integer(0));
    const bool readable = !rota::is_time(key) || is_time(time_at(row, 1));
    if (!readable || !take_over(snapshot_.meta, key, row.integer(1))) {
      set_aside("meta", row.integer(0));
    }
    return {};
  }

  Result<void> next_id(const Statement& row) {
    const std::int64_t last = row.integer(1) - (row.integer(1) > 0 ? 1 : 0);
    const auto count_from = [&](auto& next, auto used) -> Result<void> {
      if (last != 0 && !pass(next, used)) set_aside("next_id", row.integer(0));
      return {};
    };
    switch (static_cast<IdKind>(row.integer(0))) {
      case IdKind::kMember:
        return count_from(snapshot_.next_member, MemberId{last});
      case IdKind::kToken:
        return count_from(snapshot_.next_token, TokenId{last});
      case IdKind::kCall:
        return count_from(snapshot_.next_call, CallId{last});
    }
    set_aside("next_id", row.integer(0));
    return {};
  }

  Database& database_;
  const Sealer& sealer_;
  const SealForm form_;
  std::vector<Row> rows_;  // one for each member, in the same order
  bool roster_is_whole_ = true;
  Snapshot snapshot_;
  std::multimap<MemberId, TokenId> tokens_set_aside_;
  TokenOpener opener_;
};

}  // namespace

Result<Snapshot> SqliteStore::load() {
  ROTA_ASSIGN(Snapshot snapshot, load(kNewestForm, TokenOpener::Values::kOfAccessTokens));
  snapshot.other = other_;
  return snapshot;
}

Result<Snapshot> SqliteStore::load(SealForm form, TokenOpener::Values values) {
  ROTA_ASSIGN(Loader::Loaded loaded, Loader(database_, sealer_, form, values).load());
  database_.free_pages();  // what the daemon reads from now on is a few rows of each table
  tokens_set_aside_ = std::move(loaded.tokens_set_aside);
  return std::move(loaded.snapshot);
}

}  // namespace rota
