#include "base/secret_arguments.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/text.h"

namespace rota {

std::string without_secret_arguments(std::string message, std::span<const char* const> arguments) {
  const auto hide = [&message](std::string_view word) {
    if (is_plainly_no_secret(word)) return;
    const std::string instead = in_quotes_unless_secret(word);
    for (auto at = message.find(word); at != std::string::npos;
         at = message.find(word, at + instead.size())) {
      message.replace(at, word.size(), instead);
    }
  };
  for (const std::string_view argument : arguments) {
    hide(argument);
    // A parser may quote only a part of the argument: --name=VALUE, --VALUE, -nVALUE.
    hide(argument.substr(argument.find('=') + 1));
    hide(argument.substr(std::min(argument.find_first_not_of('-'), argument.size())));
    if (argument.starts_with('-')) hide(argument.substr(std::min<std::size_t>(2, argument.size())));
  }
  return message;
}

}  // namespace rota
