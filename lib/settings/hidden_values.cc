#include "settings/hidden_values.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace rota {

bool may_be_shown(const std::string& path) {
  // The part that exists is a path. (For any text that begins with a slash, the root exists.)
  std::filesystem::path there = path;
  std::error_code error;
  while (there.has_relative_path() && !std::filesystem::exists(there, error)) {
    there = there.parent_path();
  }
  return is_plainly_no_secret(std::string_view(path).substr(there.native().size()));
}

std::string shown_base_url(const std::string& base_url) {
  const std::size_t host = base_url.find("//");
  const std::size_t path = host == std::string::npos ? host : base_url.find('/', host + 2);
  if (path == std::string::npos) return base_url;
  const bool plain = is_plainly_no_secret(std::string_view(base_url).substr(path));
  return plain ? base_url : base_url.substr(0, path + 1) + "…";
}

HiddenValues::HiddenValues(const Settings& settings) {
  if (std::string shown = shown_base_url(settings.upstream.base_url);
      shown != settings.upstream.base_url) {
    const std::string path = settings.upstream.base_url.substr(shown.rfind('/'));
    values_.emplace_back(settings.upstream.base_url, std::move(shown));
    values_.emplace_back(path, "/…");
  }
  add("[upstream] ca_file", settings.upstream.ca_file);
  add("[upstream] budget_group", settings.upstream.budget_file);
  add("[roster] path", settings.roster.path);
  add("[store] path", settings.store.path);
  add("[serve] token_socket", settings.serve.token_socket);
  add("[serve] admin_socket", settings.serve.admin_socket);
  for (const ListenerSettings& listener : settings.listeners) {
    if (!listener.path.empty()) add("[[listener]] path", listener.path);
  }
}

void HiddenValues::add(std::string_view key, const std::string& path) {
  if (may_be_shown(path)) return;
  values_.emplace_back(path, fmt::format("{} (not repeated here, since it may be a secret)", key));
  // A message may have only a part of the path.
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
