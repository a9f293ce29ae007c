#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "cli/gathered.h"

namespace rota::cli {

// Reads Server-Sent Events from a stream that comes in pieces of any size. An event has the fields
// that rotad sends, "event" and one "data"; comments and other fields are ignored.
class EventReader {
 public:
  // Gets each event. `data` is valid during the call. If it fails, feed() returns its error.
  using Take = std::function<Result<void>(std::string_view event, std::string_view data)>;
  explicit EventReader(Take take) : take_(std::move(take)), gathered_(kEventBytesMax) {}

  // kFull: an event is longer than kEventBytesMax, more than any that rotad sends.
  Result<void> feed(std::string_view bytes);

 private:
  static constexpr std::size_t kEventBytesMax = std::size_t{1} << 20U;

  Result<void> read_event(std::string_view text);

  const Take take_;
  Gathered gathered_;
};

}  // namespace rota::cli
