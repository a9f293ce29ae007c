#pragma once

#include "model/outcome.h"

namespace rota {

// What people call the error `curl_code` of a call without a reply. `easy` is the CURL handle of
// the call, which is over. `sent`: whether libcurl has taken some of the request's body.
Symptom::Kind symptom_of(void* easy, int curl_code, bool sent);

}  // namespace rota
