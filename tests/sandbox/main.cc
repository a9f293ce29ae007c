#include <fmt/format.h>
#include <sodium.h>

#include <cstdio>
#include <utility>

#include "sandbox/circle.h"
#include "sandbox/options.h"
#include "sandbox/server.h"

int main(int argc, char** argv) {
  using namespace rota::sandbox;
  if (sodium_init() < 0) return 1;
  auto settings = parse_command_line(argc, argv);
  if (!settings) {
    fmt::print(settings.error().code == 0 ? stdout : stderr, "{}", settings.error().text);
    return settings.error().code;
  }

  Circle circle(std::move(settings->circle));
  for (Member& member : settings->members) circle.members().put(std::move(member));
  circle.faults().replace(std::move(settings->faults));

  auto server = Server::create(circle, settings->server);
  if (!server) {
    fmt::print(stderr, "rota-sandbox: {}\n", server.error().message);
    return 1;
  }
  fmt::print("rota-sandbox listening on http://127.0.0.1:{}\n", (*server)->port());
  std::fflush(stdout);
  (*server)->run();
  return 0;
}
