#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/rights.h"
#include "base/time.h"
#include "base/token_digest.h"
#include "settings/settings.h"
#include "settings/toml.h"

namespace rota {

// Each reads one value of the configuration, checks its type and range, and stores it in `into`. On
// an error (kConfig, with file, line and key) `into` may have changed. `low` and `high` are allowed
// values.

Result<void> read_duration(const TomlValue& value, Duration low, Duration high, Duration& into);
// A duration, or "never".
Result<void> read_duration_or_never(const TomlValue& value, Duration low, Duration high,
                                    std::optional<Duration>& into);
Result<void> read_count(const TomlValue& value, std::size_t low, std::size_t high,
                        std::size_t& into);
Result<void> read_fraction(const TomlValue& value, double& into);  // from 0 to 1
Result<void> read_flag(const TomlValue& value, bool& into);
// A string without control characters; possibly empty.
Result<void> read_words(const TomlValue& value, std::string& into);
// Not empty. A relative path must consist of plain words: anything else may be a secret (P10).
Result<void> read_path(const TomlValue& value, std::string& into);
Result<void> read_socket_path(const TomlValue& value,
                              std::string& into);  // absolute, fits sun_path
Result<void> read_socket_mode(const TomlValue& value, std::uint32_t& into);
Result<void> read_credential_name(const TomlValue& value, std::string& into);
Result<void> read_user_or_group(const TomlValue& value, std::string& into);  // not empty
// The name of a group, or the path of its file; `into` is the path, or empty.
Result<void> read_budget_group(const TomlValue& value, std::string& into);
Result<void> read_listen_address(const TomlValue& value, std::optional<ListenAddress>& into);
Result<void> read_base_url(const TomlValue& value, std::string& into);
Result<void> read_log_level(const TomlValue& value, LogLevel& into);
// The same, of the loopback interface, and not empty.
Result<void> read_loopback_address(const TomlValue& value, std::optional<ListenAddress>& into);
Result<void> read_client_name(const TomlValue& value, std::string& into);
Result<void> read_token_digests(const TomlValue& value, std::vector<TokenDigest>& into);
Result<void> read_rights(const TomlValue& value, Rights& into);
Result<void> read_tags(const TomlValue& value, std::vector<std::string>& into);
Result<void> read_grant_members(const TomlValue& value, GrantSettings& into);

}  // namespace rota
