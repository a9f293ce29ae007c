#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rota::fuzz {

// Sends the pieces one after the other to a session of the admin socket, with the tokens of two
// members behind it: 1 has one that is alive, every request for 9 waits. Then closes its half and
// ends what waits, one by one. Returns all that the session sent; it must have closed by then.
// Nothing sleeps, and no clock runs.
std::string converse(const std::vector<std::string_view>& pieces);

struct SentReply {
  int status = 0;
  bool close = false;
  std::string_view body;
};

// Cuts what a session sent into replies, each of which must be whole and well formed.
std::vector<SentReply> replies_in(std::string_view sent, const std::vector<bool>& head_only);

}  // namespace rota::fuzz
