#include "daemon/hidden_values.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace rota {

bool may_be_shown(const std::string& path) {
  if (is_plainly_no_secret(path)) return true;
  // The root is the folder of any text that begins with a slash.
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  return folder.is_absolute() && folder != folder.root_path() &&
         std::filesystem::is_directory(folder, error);
}

HiddenValues::HiddenValues(const Settings& settings) {
  add("[upstream] ca_file", settings.upstream.ca_file);
  add("[roster] path", settings.roster.path);
  add("[store] path", settings.store.path);
  add("[serve] token_socket", settings.serve.token_socket);
  add("[serve] admin_socket", settings.serve.admin_socket);
}

void HiddenValues::add(std::string_view key, const std::string& path) {
  if (may_be_shown(path)) return;
  values_.emplace_back(path, fmt::format("{} (not repeated here, since it may be a secret)", key));
  // A message may name a folder of it.
  for (const std::filesystem::path& part : std::filesystem::path(path)) {
    if (!is_plainly_no_secret(part.string())) values_.emplace_back(part.string(), "…");
  }
}

std::string HiddenValues::hide(std::string text) const {
  for (const auto& [value, instead] : values_) {
    for (std::size_t at = text.find(value); at != std::string::npos;
         at = text.find(value, at + instead.size())) {
      text.replace(at, value.size(), instead);
    }
  }
  return text;
}

Error HiddenValues::hide(Error error) const {
  error.message = hide(std::move(error.message));
  return error;
}

}  // namespace rota
