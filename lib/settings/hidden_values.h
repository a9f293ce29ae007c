#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"

namespace rota {

// Whether a text may repeat a path of the configuration (P10): what is not there of it has plain
// words only. A secret that was put there by mistake is neither. Blocks on the disk.
bool may_be_shown(const std::string& path);

// The values of a configuration that may be secrets, put there by mistake: no text that leaves the
// process repeats one. Each is told by its key instead. A value object; the default hides nothing.
class HiddenValues {
 public:
  HiddenValues() = default;
  explicit HiddenValues(const Settings& settings);  // blocks on the disk

  std::string hide(std::string text) const;
  Error hide(Error error) const;

 private:
  void add(std::string_view key, const std::string& path);

  // What to find, and what stands for it; a whole value comes before its parts.
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace rota
