#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"

namespace rota {

// Whether a message may repeat a path of the configuration (P10). It may if the part of the path
// that does not exist has only plain words (is_plainly_no_secret()): a secret that somebody put
// there by mistake neither exists as a file nor looks like that. Blocks on the disk.
bool may_be_shown(const std::string& path);

// The base URL for a message: with "…" in place of its path if that may be a secret.
std::string shown_base_url(const std::string& base_url);

// The paths of a configuration that may be secrets, put there by mistake. hide() replaces each of
// them in a text by its key; every message that leaves the process goes through it. A new setting
// whose value a message can repeat belongs into the constructor. A plain value; const calls are
// safe on any thread. By default it hides nothing.
class HiddenValues {
 public:
  HiddenValues() = default;
  explicit HiddenValues(const Settings& settings);  // blocks on the disk

  std::string hide(std::string text) const;
  Error hide(Error error) const;

 private:
  void add(std::string_view key, const std::string& path);

  // What to find and what to put in its place; a whole path stands before its parts.
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace rota
