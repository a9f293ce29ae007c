#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Text in columns of a terminal. A character takes none, one or two of them (as Unicode's East
// Asian Width has it, by glibc's tables), so neither bytes nor characters can be counted instead.
// All texts are UTF-8; what is not counts as one column a byte. Pure.
namespace rota::cli {

// How many columns of a terminal the text takes.
std::size_t display_width(std::string_view text);
// The text if it fits into so many columns; else as much of its beginning as fits before "…".
std::string cut(std::string_view text, std::size_t columns);
// The same, filled up with blanks behind it.
std::string in_column(std::string_view text, std::size_t columns);
// The words of the text on lines of at most so many columns, each after `indent` blanks, which
// count; each line has its end. A longer word has a line of its own, and is not cut.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent);

}  // namespace rota::cli
