#include "cli/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "cli/columns.h"
#include "cli/status_screen.h"

namespace rota::cli {
namespace {

std::string folded_line(std::string_view line, std::size_t text_at) {
  if (display_width(line) <= kScreenColumns) return std::string(line) + "\n";
  const bool is_described = line.starts_with("  ") && line.size() > text_at &&
                            line[text_at - 1] == ' ' && line[text_at] != ' ';
  if (!is_described) return wrapped(line, kScreenColumns, 0);
  std::string text = wrapped(line.substr(text_at), kScreenColumns, text_at);
  return text.replace(0, text_at, line.substr(0, text_at));
}

class FoldingFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    return folded_help(CLI::Formatter::make_help(app, std::move(name), mode), get_column_width());
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> folding_formatter() {
  return std::make_shared<FoldingFormatter>();
}

std::string folded_help(std::string_view help, std::size_t text_at) {
  std::string folded;
  while (!help.empty()) {
    const std::string_view line = help.substr(0, help.find('\n'));
    help.remove_prefix(std::min(help.size(), line.size() + 1));
    folded += folded_line(line, text_at);
  }
  return folded;
}

}  // namespace rota::cli
