#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "store/token_store.h"

namespace rota::test {

// What a mutation changes, as a line. Two batches with equal lines have the same effect.
inline std::string outline_of(const Mutation& mutation) {
  const auto ms = [](WallTime time) { return time.time_since_epoch().count(); };
  std::string line = std::to_string(mutation.index());
  if (const auto* put = std::get_if<PutMember>(&mutation)) {
    const MemberRecord& row = put->row;
    line += fmt::format(" {} {} since {} pin {}", std::to_underlying(row.id), name_of(row.state),
                        ms(row.state_since), row.community_member_id.value_or(0));
    for (const Selector& s : row.selectors) {
      line += fmt::format(" {}{}{} {}", s.key.text(), s.in_roster ? " listed" : "",
                          s.retired ? " retired" : "", s.name);
      for (const std::string& tag : s.tags) line += " tag:" + tag;
    }
  } else if (const auto* token = std::get_if<PutToken>(&mutation)) {
    line += fmt::format(" {} of {} {} until {}", std::to_underlying(token->token.id),
                        std::to_underlying(token->member), name_of(token->token.status),
                        ms(token->token.expires_at));
  } else if (const auto* erased = std::get_if<EraseToken>(&mutation)) {
    line += fmt::format(" {}", std::to_underlying(erased->token));
  } else if (const auto* forgotten = std::get_if<ForgetMember>(&mutation)) {
    line += fmt::format(" {}", std::to_underlying(forgotten->member));
  } else if (const auto* use = std::get_if<PutUse>(&mutation)) {
    line += fmt::format(" {} at {}", std::to_underlying(use->member), ms(use->at));
  } else if (const auto* call = std::get_if<PutCall>(&mutation)) {
    line += fmt::format(" {} of {} {} {}", std::to_underlying(call->row.id),
                        std::to_underlying(call->row.member), name_of(call->row.kind),
                        name_of(call->row.fate));
  } else if (const auto* over = std::get_if<EraseCall>(&mutation)) {
    line += fmt::format(" {}", std::to_underlying(over->call));
  } else if (const auto* meta = std::get_if<PutMeta>(&mutation)) {
    line += fmt::format(" {} {}", std::to_underlying(meta->key), meta->value);
  }
  return line;
}

inline std::vector<std::string> outline_of(const std::vector<Mutation>& batch) {
  std::vector<std::string> lines;
  lines.reserve(batch.size());
  for (const Mutation& mutation : batch) lines.push_back(outline_of(mutation));
  return lines;
}

}  // namespace rota::test
