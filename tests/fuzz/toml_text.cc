#include "fuzz/toml_text.h"

#include <fmt/format.h>

#include "base/check.h"

namespace rota::fuzz {
namespace {

constexpr std::size_t kErrorBytesMax = 2'048;

bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const bool c1 = byte == 0xc2 && at + 1 < text.size() &&
                  static_cast<unsigned char>(text[at + 1]) >= 0x80 &&
                  static_cast<unsigned char>(text[at + 1]) < 0xa0;
  return byte < 0x20 || byte == 0x7f || c1;
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + '"';
}

void check_file_error(const Error& error, std::string_view file) {
  const std::string_view text = error.message;
  ROTA_CHECK(error.kind == ErrorKind::kConfig);
  ROTA_CHECK(text.starts_with(file) && text.size() <= kErrorBytesMax);
  ROTA_CHECK(text.substr(file.size()).starts_with(':'));
  ROTA_CHECK(text.size() > file.size() + 1 && text[file.size() + 1] >= '0' &&
             text[file.size() + 1] <= '9');
  for (std::size_t i = 0; i < text.size(); ++i) ROTA_CHECK(!is_control(text, i));
}

}  // namespace rota::fuzz
