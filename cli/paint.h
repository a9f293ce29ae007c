#pragma once

#include <string>
#include <string_view>

namespace rota::cli {

// `text` with colours for a terminal: of the words at the beginnings of lines that say how things
// are ("NOT READY", "wrong", "note"). The text is visible() already: what others wrote gets no
// colour, and gives none. Pure.
std::string painted(std::string_view text);

}  // namespace rota::cli
