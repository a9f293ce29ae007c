#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "base/secret.h"
#include "http/query.h"

namespace rota {

// What the body of a request to one of Circle's four routes says. A body is a JSON object, or what
// a form sends ("a=1&b=2"), since Circle's server takes both. Fields that the route does not have
// are ignored. A field that is null or an empty text counts as missing. Pure.

struct Missing {};  // the field is not there

// POST auth_token. A member's name that breaks the rules of such names leads to nobody.
struct NoSuchName {};
struct Malformed {};  // not a body, a selector of another type, or several selectors
using SelectorRead = std::variant<NamedMember, NoSuchName, Missing, Malformed>;
SelectorRead read_selector(std::string_view body);

// The other three routes: `field` is "access_token" or "refresh_token". What is not a body has no
// fields.
struct WrongType {};    // not a text
struct NoSuchToken {};  // a text that no token can be, such as one with a space
using TokenRead = std::variant<Secret, Missing, WrongType, NoSuchToken>;
TokenRead read_token(std::string_view body, std::string_view field);

}  // namespace rota
