#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rota {

// How many tokens each client of a listener was given. There are never more rows than kRowsMax,
// whatever clients the configuration names. Loop thread only.
class ClientFetches {
 public:
  static constexpr std::size_t kRowsMax = 64;
  // The rest is shown under this name, so a client of this name has no row of its own.
  static constexpr std::string_view kOther = "other";

  // The clients that the configuration names. The first of them get a row, from 0 or from what they
  // have now; rows of clients that are gone are dropped.
  void keep(const std::vector<std::string>& names);
  // Cheap enough for every fetch.
  void count(const std::string& client);

  // By name.
  std::vector<std::pair<std::string, std::uint64_t>> rows() const {
    return {rows_.begin(), rows_.end()};
  }
  std::uint64_t of_others() const { return of_others_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> rows_;
  std::uint64_t of_others_ = 0;
};

}  // namespace rota
