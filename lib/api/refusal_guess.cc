#include "api/refusal_guess.h"

#include <algorithm>
#include <span>
#include <utility>

namespace rota {
namespace {

// Spreads ids that follow each other (the finalizer of MurmurHash3).
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 33U)) * 0xff51afd7ed558ccdU;
  value = (value ^ (value >> 33U)) * 0xc4ceb9fe1a85ec53U;
  return value ^ (value >> 33U);
}

template <class Row>
std::span<Row> places(std::vector<Row>& rows, std::size_t rows_max, std::size_t ways,
                      std::uint64_t hash) {
  if (rows.empty()) rows.resize(rows_max);
  const std::size_t set = hash % (rows_max / ways);
  return std::span(rows).subspan(set * ways, ways);
}

}  // namespace

RefusalGuess::Given* RefusalGuess::find(Client client, MemberId member) {
  const auto hash = mix(client ^ mix(static_cast<std::uint64_t>(std::to_underlying(member))));
  const auto rows = places(given_, kGivenMax, kWays, hash);
  const auto row = std::ranges::find_if(
      rows, [&](const Given& each) { return each.client == client && each.member == member; });
  return row == rows.end() ? nullptr : &*row;
}

RefusalGuess::Member* RefusalGuess::row_for(MemberId member, BootTime now) {
  const auto hash = mix(static_cast<std::uint64_t>(std::to_underlying(member)));
  const auto rows = places(members_, kMembersMax, kWays, hash);
  const auto own = std::ranges::find(rows, member, &Member::member);
  if (own != rows.end()) return &*own;
  const auto free = std::ranges::find_if(rows, [now](const Member& each) {
    return each.member == MemberId{} || (each.doubt_again <= now && each.refresh_again <= now);
  });
  if (free == rows.end()) return nullptr;
  *free = {.member = member, .doubt_again = now, .refresh_again = now};
  return &*free;
}

bool RefusalGuess::doubts(Client client, MemberId member, Fingerprint present, BootTime now) {
  const Given* given = find(client, member);
  if (given == nullptr || given->token != present) return false;
  // Both earlier ones, of which the second may not have been.
  if (given->times[1] == BootTime{} || now - given->times[1] > kWindow) return false;
  Member* row = row_for(member, now);
  if (row == nullptr || now < row->doubt_again) return false;
  row->doubt_again = now + kDoubtsApart;
  return true;
}

bool RefusalGuess::refuses(Client client, MemberId member, Fingerprint present, BootTime now) {
  const Given* given = find(client, member);
  if (given == nullptr || given->token != present) return false;
  Member* row = row_for(member, now);
  if (row == nullptr || now < row->refresh_again) return false;
  row->refresh_again = now + kRefreshesApart;
  return true;
}

void RefusalGuess::note_given(Client client, MemberId member, Fingerprint token, BootTime now) {
  Given* row = find(client, member);
  if (row != nullptr && row->token == token) {
    row->times = {now, row->times[0]};
    return;
  }
  if (row == nullptr) {
    const auto hash = mix(client ^ mix(static_cast<std::uint64_t>(std::to_underlying(member))));
    const auto rows = places(given_, kGivenMax, kWays, hash);
    row = &*std::ranges::min_element(rows, {}, [](const Given& each) { return each.times[0]; });
  }
  *row = {.client = client, .member = member, .token = token, .times = {now, BootTime{}}};
}

}  // namespace rota
