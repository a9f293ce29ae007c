#pragma once

#include <string>

#include "cli/findings.h"
#include "cli/setup_files.h"
#include "settings/settings.h"

namespace rota::cli {

// Where `rota doctor` looks for systemd credentials: in the folder that it was told of, else where
// rota setup and the installed unit have them.
class Credentials {
 public:
  // `config` and `folder` as of DoctorCommand; `places` must outlive this.
  Credentials(const Places& places, const std::string& config, const std::string& folder);

  // The file of this credential, if it is not sealed.
  std::string path(const std::string& name) const;
  // Whether the secret is there, and only its owner can read it. `key`: the setting without its
  // ending, "app_token" or "key". No text repeats a name that may be the secret itself (P10).
  // `checked`: the path of a file that is good so far; empty: the finding is final. Blocks on the
  // disk.
  Finding look_at(const std::string& key, const SecretSource& source, std::string& checked) const;

 private:
  const Places& places_;
  std::string folder_;  // empty: where the installed unit has them
};

}  // namespace rota::cli
