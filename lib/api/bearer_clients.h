#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/token_digest.h"

namespace rota {

// The clients that may use a listener, by their bearer tokens. A plain value; a reload replaces it
// whole. Loop thread only.
class BearerClients {
 public:
  struct Client {
    std::string name;                 // not empty
    std::vector<TokenDigest> tokens;  // of one token each; any of them will do

    bool operator==(const Client&) const = default;
  };

  BearerClients() = default;
  explicit BearerClients(std::vector<Client> clients) : clients_(std::move(clients)) {}

  // The name of the client that has this token; null: nobody has. Compares all tokens of all
  // clients, each in constant time, so that the time tells nothing. Valid until this is replaced.
  const std::string* find(const TokenDigest& token) const;

  // In the order of the configuration.
  std::vector<std::string> names() const;

  bool operator==(const BearerClients&) const = default;

 private:
  std::vector<Client> clients_;
};

}  // namespace rota
