// The bytes outside the sealed text that a seal protects as well (integers are big-endian):
//
//   token of the first form  := "rota token v1" place
//
//   token of the second form := "rota token v2" place row
//
//   token of the third form  := "rota token v3" place row database-id[16], and so of the fourth
//
//   place                    := id[8] member[8] kind[1]
//   row                      := status[1] issued[8] expires[8] status-since[8] salt[16]
//
//   member of the second form := "rota member v1" record
//   member of the third form  := "rota member v2" database-id[16] record
//   member of the fourth form := "rota member v3" database-id[16] record signed-out-at[8]
//                                login-epoch[16] count[8] handle*
//
//   record   := salt[16] id[8] state[8] state-since[8] renew-not-before[8]
//               optional(community-member-id) optional(community-id) count[8] selector*
//
//   selector := kind[8] text(value) in-roster[8] retired[8] text(name) count[8] text(tag)*
//               from the third form on, resolved-at[8] follows the name; in the fourth,
//               was-in-roster[8] count[8] enrolment* follow the tags
//
//   enrolment := text(client) since[8] count[8] text(tag)*
//
//   handle    := text(holder) number[8]
//
//   text     := length[8] bytes
//
//   optional := has-value[8] value[8]

#include "sqlite/bound_bytes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

constexpr std::string_view kTokenTagFirst = "rota token v1";
constexpr std::string_view kTokenTagSecond = "rota token v2";
constexpr std::string_view kTokenTagThird = "rota token v3";
constexpr std::string_view kMemberTagSecond = "rota member v1";
constexpr std::string_view kMemberTagThird = "rota member v2";
constexpr std::string_view kMemberTagFourth = "rota member v3";

std::string_view token_tag(SealForm form) {
  switch (form) {
    case SealForm::kFirst:
      return kTokenTagFirst;
    case SealForm::kSecond:
      return kTokenTagSecond;
    case SealForm::kThird:
    case SealForm::kFourth:
      return kTokenTagThird;
  }
  ROTA_CHECK(false);
}

std::string_view member_tag(SealForm form) {
  switch (form) {
    case SealForm::kFirst:  // has no seal of a record
      break;
    case SealForm::kSecond:
      return kMemberTagSecond;
    case SealForm::kThird:
      return kMemberTagThird;
    case SealForm::kFourth:
      return kMemberTagFourth;
  }
  ROTA_CHECK(false);
}

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }

class Writer {
 public:
  explicit Writer(std::string_view tag) : bytes_(tag) {}

  void integer(std::int64_t value) {
    std::array<unsigned char, sizeof value> big_endian{};
    put_integer(value, big_endian.data());
    bytes(big_endian);
  }
  void bytes(std::span<const unsigned char> value) { bytes_.append(value.begin(), value.end()); }
  void count(std::size_t value) { integer(static_cast<std::int64_t>(value)); }
  void flag(bool value) { integer(value ? 1 : 0); }
  void text(std::string_view value) {
    count(value.size());
    bytes_ += value;
  }
  void optional(SmallOptional<std::int64_t> value) {
    flag(value.has_value());
    integer(value.value_or(0));
  }
  void texts(std::span<const std::string> values) {
    count(values.size());
    for (const std::string& value : values) text(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void put_enrolments(Writer& writer, const Selector& selector) {
  writer.flag(selector.was_in_roster);
  writer.count(selector.enrolments.size());
  for (const Enrolment& enrolment : selector.enrolments) {
    writer.text(enrolment.client);
    writer.integer(number(enrolment.since));
    writer.texts(enrolment.tags);
  }
}

void put_handles(Writer& writer, const MemberRecord& record) {
  writer.integer(number(record.signed_out_at));
  writer.bytes(record.login_epoch);
  writer.count(record.handles.size());
  for (const HandleCount& handle : record.handles) {
    writer.text(handle.holder);
    writer.integer(handle.number);
  }
}

}  // namespace

unsigned char* put_integer(std::int64_t value, unsigned char* out) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    *out++ = static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> shift);
  }
  return out;
}

std::optional<MemberSalt> read_salt(std::span<const unsigned char> bytes) {
  MemberSalt salt{};
  if (bytes.size() != salt.size()) return std::nullopt;
  std::ranges::copy(bytes, salt.begin());
  return salt;
}

TokenBinding binding_of(const Token& token, MemberId member, const MemberSalt& salt) {
  return {.token = token.id,
          .member = member,
          .kind = token.kind,
          .status = token.status,
          .issued_at = token.issued_at,
          .expires_at = token.expires_at,
          .status_since = token.status_since,
          .salt = salt};
}

// The bytes are on the stack, because a start opens every token on record.
TokenBound bound_bytes(const TokenBinding& binding, SealForm form, const DatabaseId& database) {
  TokenBound bound{};
  unsigned char* out = std::ranges::copy(token_tag(form), bound.bytes.data()).out;
  out = put_integer(std::to_underlying(binding.token), out);
  out = put_integer(std::to_underlying(binding.member), out);
  *out++ = static_cast<unsigned char>(binding.kind);
  if (form != SealForm::kFirst) {
    *out++ = static_cast<unsigned char>(binding.status);
    out = put_integer(number(binding.issued_at), out);
    out = put_integer(number(binding.expires_at), out);
    out = put_integer(number(binding.status_since), out);
    out = std::ranges::copy(binding.salt, out).out;
  }
  if (has_database_id(form)) out = std::ranges::copy(database, out).out;
  bound.size = static_cast<std::size_t>(out - bound.bytes.data());
  return bound;
}

std::string bound_bytes(const MemberRecord& record, const MemberSalt& salt, SealForm form,
                        const DatabaseId& database) {
  Writer writer(member_tag(form));
  if (has_database_id(form)) writer.bytes(database);
  writer.bytes(salt);
  writer.integer(std::to_underlying(record.id));
  writer.integer(std::to_underlying(record.state));
  writer.integer(number(record.state_since));
  writer.integer(number(record.renew_not_before));
  writer.optional(record.community_member_id);
  writer.optional(record.community_id);
  writer.count(record.selectors.size());
  for (const Selector& selector : record.selectors) {
    writer.integer(std::to_underlying(selector.key.kind));
    writer.text(selector.key.value);
    writer.flag(selector.in_roster);
    writer.flag(selector.retired);
    writer.text(selector.name);
    if (has_database_id(form)) writer.integer(number(selector.resolved_at));
    writer.texts(selector.tags);
    if (has_enrolments(form)) put_enrolments(writer, selector);
  }
  if (has_enrolments(form)) put_handles(writer, record);
  return writer.take();
}

}  // namespace rota
