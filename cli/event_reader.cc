#include "cli/event_reader.h"

#include <algorithm>

namespace rota::cli {

Result<void> EventReader::feed(std::string_view bytes) {
  constexpr std::string_view kEnd = "\n\n";
  if (!gathered_.add(bytes)) return fail(ErrorKind::kFull, "an event of the stream is too long");
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = gathered_.text().find(kEnd, begin);
    if (end == std::string_view::npos) break;
    ROTA_TRY(read_event(gathered_.text().substr(begin, end - begin)));
    begin = end + kEnd.size();
  }
  gathered_.drop_front(begin);
  return {};
}

Result<void> EventReader::read_event(std::string_view text) {
  constexpr std::string_view kEvent = "event: ";
  constexpr std::string_view kData = "data: ";
  std::string_view event;
  std::string_view data;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(kEvent)) event = line.substr(kEvent.size());
    if (line.starts_with(kData)) data = line.substr(kData.size());
  }
  return data.empty() ? Result<void>{} : take_(event, data);
}

}  // namespace rota::cli
