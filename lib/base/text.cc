#include "base/text.h"

namespace rota {

std::string shortened(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  text.resize(end);
  return text + "…";
}

std::string in_quotes(std::string_view text) {
  // Of a long text no more is copied than may be shown.
  return '"' + shortened(std::string(text.substr(0, kQuotedBytesMax + 1)), kQuotedBytesMax) + '"';
}

}  // namespace rota
