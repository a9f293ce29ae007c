#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class FormatterBase;
}

namespace rota::cli {

// The help text with no line longer than a terminal's 80 columns: what is too long goes on below.
// `text_at`: the column at which the descriptions of options and commands begin. Pure.
std::string folded_help(std::string_view help, std::size_t text_at);
// Writes a command's help so.
std::shared_ptr<CLI::FormatterBase> folding_formatter();

}  // namespace rota::cli
