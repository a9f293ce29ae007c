#include "rotator/client_fetches.h"

#include <algorithm>

namespace rota {

void ClientFetches::keep(const std::vector<std::string>& names) {
  std::erase_if(rows_, [&names](const auto& row) {
    return std::ranges::find(names, row.first) == names.end();
  });
  for (const std::string& name : names) {
    if (rows_.size() >= kRowsMax) return;
    if (name != kOther) rows_.try_emplace(name, 0);
  }
}

void ClientFetches::count(const std::string& client) {
  const auto row = rows_.find(client);
  ++(row == rows_.end() ? of_others_ : row->second);
}

}  // namespace rota
