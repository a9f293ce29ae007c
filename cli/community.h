#pragma once

#include <string>
#include <string_view>

namespace rota::cli {

// One of the communities that this machine serves: where its daemon has its files and sockets, and
// how its units are called. A machine with a single community needs no name for it. Pure.
class Community {
 public:
  // The community without a name: rotad.service.
  Community() = default;
  // rotad@NAME.service. `name` must pass check_community().
  explicit Community(std::string name);

  bool has_name() const { return !name_.empty(); }
  const std::string& name() const { return name_; }

  // Folders and files as the installed units have them.
  std::string etc() const;
  std::string config() const { return etc() + "/rotad.toml"; }
  std::string state() const;  // a folder of its own beside those of the others, not inside one
  std::string run() const;
  std::string token_socket() const { return run() + "/token.sock"; }
  std::string admin_socket() const { return run() + "/admin.sock"; }

  // `rotad.service`, `rotad-admin.socket` and so on, as this community's unit.
  std::string unit(std::string_view single) const;
  // A text for people that names units or commands, such as "systemctl restart rotad.socket, then
  // rota setup": with this community's units, and with --community in the commands.
  std::string in_its_words(std::string text) const;

 private:
  std::string name_;
};

// A validator for CLI11: empty, or why `name` cannot be the name of a community.
std::string check_community(const std::string& name);

}  // namespace rota::cli
