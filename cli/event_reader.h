#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "cli/gathered.h"

namespace rota::cli {

// Reads Server-Sent Events out of a stream, whatever its pieces: the fields "event" and one "data"
// are what rotad sends; comments and other fields are passed over.
class EventReader {
 public:
  // `data` is valid during the call. An error ends the reading, and is feed()'s.
  using Take = std::function<Result<void>(std::string_view event, std::string_view data)>;
  explicit EventReader(Take take) : take_(std::move(take)), gathered_(kEventBytesMax) {}

  // kFull: an event that is longer than any of rotad's.
  Result<void> feed(std::string_view bytes);

 private:
  static constexpr std::size_t kEventBytesMax = std::size_t{1} << 20U;

  Result<void> read_event(std::string_view text);

  const Take take_;
  Gathered gathered_;
};

}  // namespace rota::cli
