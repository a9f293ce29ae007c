#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/completion.h"
#include "model/member_key.h"

// What words on the command line must look like. Pure.
namespace rota::cli {

// Validators for CLI11: it calls one for each word; a text that is not empty is the error. None of
// them repeats the word, which may be a secret in a wrong place (P10).
std::string check_key(const std::string& text);
std::string check_selector(const std::string& text);
std::string check_duration(const std::string& text);
std::string check_since(const std::string& text);
std::string check_client_name(const std::string& text);
std::string check_fingerprint(const std::string& text);
std::string check_shell(const std::string& text);
std::string check_variable(const std::string& text);  // of the environment
std::string check_signal(const std::string& text);

// What a person types for a member: a key, or an address or a number alone, for email: and id:.
Result<MemberKey> member_named(const std::string& text);
std::string check_member(const std::string& text);
std::string check_url(const std::string& text);

// id, email or sso.
std::optional<SelectorKind> selector_kind(std::string_view word);
// "HUP", "SIGHUP" or "1"; 0: there is no such signal.
int signal_named(std::string_view word);
// bash, zsh or fish.
std::optional<Shell> shell_named(std::string_view word);

// The error for words that no option or command takes, with its end. Names the unknown options, but
// no other word, which may be a token (P10); if the first of these is nearly one of `commands`, it
// says which.
std::string describe_extras(const std::vector<std::string>& words,
                            const std::vector<std::string>& commands);

}  // namespace rota::cli
