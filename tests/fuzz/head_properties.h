#pragma once

#include <string_view>

#include "http/http_head.h"

namespace rota::fuzz {

// What holds of parse_head() whatever the bytes: an accepted head has none of the oddities that the
// grammar leaves out, which is looked at here by other means; the result is the same whole or in
// pieces, and for an accepted one what stands behind it does not matter. Then its query is read.
void check_head(std::string_view bytes);
// The same of find_body(), for what stands behind an accepted head. An accepted body in chunks is
// read once more here, by other means.
void check_body(const RequestHead& head, std::string_view rest);

}  // namespace rota::fuzz
