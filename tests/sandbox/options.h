#pragma once

#include <expected>
#include <string>
#include <vector>

#include "sandbox/circle_options.h"
#include "sandbox/fault.h"
#include "sandbox/members.h"
#include "sandbox/server.h"

namespace rota::sandbox {

struct Settings {
  CircleOptions circle;
  ServerOptions server;
  std::vector<Member> members;
  std::vector<FaultRule> faults;
};

// The end of the program that the command line itself asks for: help (0) or an error (2).
struct EarlyExit {
  int code = 0;
  std::string text;
};

// Reads the command line, and the app token's file where one is named.
std::expected<Settings, EarlyExit> parse_command_line(int argc, const char* const* argv);

}  // namespace rota::sandbox
