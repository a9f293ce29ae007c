#pragma once

#include "model/outcome.h"

namespace rota {

// What libcurl's error code of a call without a reply means to people. `easy` is the handle of the
// call, which is over; `sent`: some of the request was.
Symptom::Kind symptom_of(void* easy, int curl_code, bool sent);

}  // namespace rota
