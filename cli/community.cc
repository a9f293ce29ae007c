#include "cli/community.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/check.h"

namespace rota::cli {
namespace {

constexpr std::size_t kNameMax = 32;
// Folders of other things in /etc/rota, /run/rota and beside /var/lib/rota.
constexpr auto kTaken =
    std::to_array<std::string_view>({"budget", "containers", "credentials", "files"});

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_inside_a_word(char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '@'; }

// Puts `with` after each `of` that stands as a word before `follows`; if that is empty, before the
// end of the word.
std::string with_after(std::string text, std::string_view of, std::string_view follows,
                       std::string_view with) {
  for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at)) {
    const bool begins = at == 0 || (!is_inside_a_word(text[at - 1]) && text[at - 1] != '/');
    at += of.size();
    const std::string_view rest = std::string_view(text).substr(at);
    const bool ends = !follows.empty() || rest.empty() ||
                      (!is_inside_a_word(rest.front()) && rest.front() != '.');
    if (!begins || !ends || !rest.starts_with(follows)) continue;
    text.insert(at, with);
    at += with.size();
  }
  return text;
}

}  // namespace

Community::Community(std::string name) : name_(std::move(name)) {
  ROTA_CHECK(check_community(name_).empty());
}

std::string Community::etc() const { return has_name() ? "/etc/rota/" + name_ : "/etc/rota"; }
std::string Community::state() const {
  return has_name() ? "/var/lib/rota-" + name_ : "/var/lib/rota";
}
std::string Community::run() const { return has_name() ? "/run/rota/" + name_ : "/run/rota"; }

std::string Community::unit(std::string_view single) const {
  return in_its_words(std::string(single));
}

std::string Community::in_its_words(std::string text) const {
  if (!has_name()) return text;
  const std::string instance = "@" + name_;
  for (const std::string_view unit : {"rotad", "rotad-admin", "rotad-client"}) {
    for (const std::string_view kind : {".service", ".socket"}) {
      text = with_after(std::move(text), unit, kind, instance);
    }
  }
  for (const std::string_view before : {"restart ", "stop ", "start ", "reload ", "-u "}) {
    text = with_after(std::move(text), fmt::format("{}rotad", before), "", instance);
  }
  const std::string option = " --community " + name_;
  for (const std::string_view command :
       {" approve", " client", " doctor", " events", " member", " plan", " reinstate", " reload",
        " restore", " setup", " status"}) {
    text = with_after(std::move(text), "rota", command, option);
  }
  return text;
}

std::string check_community(const std::string& name) {
  const bool is_good = !name.empty() && name.size() <= kNameMax &&
                       is_letter_or_digit(name.front()) && std::ranges::all_of(name, [](char c) {
                         return is_letter_or_digit(c) || c == '-' || c == '_';
                       });
  if (!is_good) {
    return fmt::format("must be 1 to {} of a-z, 0-9, - and _, the first a letter or a digit",
                       kNameMax);
  }
  if (std::ranges::find(kTaken, name) != kTaken.end())
    return "Rota has a folder of this name: choose another";
  return {};
}

}  // namespace rota::cli
