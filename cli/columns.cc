#include "cli/columns.h"

#include <clocale>
#include <cwchar>
#include <memory>
#include <type_traits>

#include "base/check.h"

namespace rota::cli {
namespace {

struct FreeLocale {
  void operator()(locale_t locale) const { ::freelocale(locale); }
};

// Glibc has this locale without any package. It is set for as long as one call needs it.
class Utf8 {
 public:
  Utf8() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    ROTA_CHECK(locale_ != nullptr);
    before_ = ::uselocale(locale_.get());
  }
  ~Utf8() { ::uselocale(before_); }
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;

 private:
  std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale> locale_;
  locale_t before_ = nullptr;
};

struct Character {
  std::size_t bytes = 1;
  std::size_t columns = 1;
};

Character first_of(std::string_view text) {
  wchar_t wide = 0;
  std::mbstate_t state{};
  const std::size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) return {};  // zero, or no UTF-8
  const int columns = ::wcwidth(wide);
  return {.bytes = bytes, .columns = columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

std::size_t width_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    columns += character.columns;
    text.remove_prefix(character.bytes);
  }
  return columns;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  const Utf8 utf8;
  return width_of(text);
}

std::string cut(std::string_view text, std::size_t columns) {
  const Utf8 utf8;
  if (width_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t used = 1;  // of the mark
  std::string_view rest = text;
  while (!rest.empty()) {
    const Character character = first_of(rest);
    if (used + character.columns > columns) break;
    used += character.columns;
    rest.remove_prefix(character.bytes);
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

std::string in_column(std::string_view text, std::size_t columns) {
  std::string shown = cut(text, columns);
  const std::size_t width = display_width(shown);
  return shown.append(columns - std::min(columns, width), ' ');
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string lines;
  std::size_t used = 0;  // of the last line; 0: it is not begun
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) break;
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    const std::size_t width = display_width(word);
    if (used > 0 && used + 1 + width > columns) {
      lines += '\n';
      used = 0;
    }
    lines.append(used == 0 ? indent : 1, ' ');
    used += (used == 0 ? indent : 1) + width;
    lines += word;
  }
  return lines.empty() ? lines : lines + '\n';
}

}  // namespace rota::cli
