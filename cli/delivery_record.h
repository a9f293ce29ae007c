#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "deliver/deliveries.h"

namespace rota::cli {

// What `rota files` must know of its past: which files it has made, so that one that is in the
// configuration no more is removed, and what the programs were told, so that a restart runs none.
// It has no secret: a digest of 256 bits does not lead to the token.
struct DeliveryRecord {
  std::set<std::string> paths{};
  deliver::Told told{};

  bool operator==(const DeliveryRecord&) const = default;
};

// Grammar: LINE = (64 hex digits | "-") " " PATH "\n". A path has no control character.
std::string record_text(const DeliveryRecord& record);
// kCorrupt: it is not what record_text() writes.
Result<DeliveryRecord> parse_record(std::string_view text);

// An empty record if there is no file. kIo, kCorrupt.
Result<DeliveryRecord> load_record(const std::string& path);
// Blocks on the disk; errors as of put().
Result<void> save_record(const std::string& path, const DeliveryRecord& record);

}  // namespace rota::cli
