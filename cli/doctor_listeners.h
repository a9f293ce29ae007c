#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/findings.h"
#include "settings/settings.h"

namespace rota::cli {

// A note if some holder of a grant may sign out members whom others may fetch, too: a sign-out ends
// the tokens of all apps of this machine. Members count as shared if both grants have "*", a tag or
// a key in common. None: nobody shares. Pure.
std::optional<Finding> judge_sign_outs(const std::vector<GrantSettings>& grants);

// 0, or the errno of connecting to the socket at `path`.
int try_to_connect(const std::string& path);

// Its address, as in the configuration, or its path.
std::string place_of(const ListenerSettings& listener);

// What a [[listener]] does with a request that shows no bearer token.
struct ListenerAnswer {
  int error = 0;   // the errno of connecting; 0: it is listening
  int status = 0;  // of its reply; 0: it gave none, or no HTTP
};
// Asks the listener. Blocks for some seconds at most.
ListenerAnswer ask_without_bearer(const ListenerSettings& listener);
// Pure.
Finding judge_listener(const std::string& place, const ListenerAnswer& answer);

}  // namespace rota::cli
