#include "api/bearer_clients.h"

namespace rota {

const std::string* BearerClients::find(const TokenDigest& token) const {
  const std::string* name = nullptr;
  for (const Client& client : clients_) {
    for (const TokenDigest& known : client.tokens) {
      if (same_in_constant_time(known, token)) name = &client.name;
    }
  }
  return name;
}

std::vector<std::string> BearerClients::names() const {
  std::vector<std::string> names;
  for (const Client& client : clients_) names.push_back(client.name);
  return names;
}

}  // namespace rota
