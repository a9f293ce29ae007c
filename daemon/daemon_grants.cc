#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "daemon/daemon.h"

// Whom tokens are given to: the grants of the configuration, and the names in them.

namespace rota {
namespace {

constexpr std::size_t kGrantTextMax = 1'000;  // a grant may name very many
constexpr Duration kNamesAgainMin{2'000};
constexpr Duration kNamesAgainMax{60'000};

// As the configuration has it, but for its place there.
std::string text_of(const GrantSettings& grant) {
  std::string text = fmt::format(
      "{} {}:", grant.holder == GrantSettings::Holder::kUser ? "user" : "group",
      is_plainly_no_secret(grant.name) ? grant.name : in_quotes_unless_secret(grant.name));
  if (grant.all_members) text += " *";
  for (const std::string& tag : grant.tags) text += " tag:" + tag;
  for (const MemberKey& key : grant.members) text += " " + key.text();
  return text;
}

}  // namespace

// A reload's. What they withdraw is withdrawn before anything else is looked at: the names may take
// long to look up, and the roster may be broken.
void Daemon::put_grants(std::vector<GrantSettings> fresh) {
  const auto since = static_cast<std::uint64_t>(readings_.next());
  grants_.put(known_grantees(fresh, holder_ids_).grants, since);
  apply_grants();
  if (fresh != settings_.grants) {
    context_.log.say(Severity::kInfo, "grants",
                     fmt::format("new grants were read: {}", fresh.size()));
    note_grants(settings_.grants, fresh);
    settings_.grants = std::move(fresh);
  }
  names_pause_ = Duration{0};
  look_up_names();
}

// The roster changed, and comes into force by itself. The configuration may have changed with it: a
// grant that is gone there must not meet the tags of the new roster.
void Daemon::withdraw_grants(const Result<Settings>& on_disk) {
  if (!on_disk) return;  // what it asks for is not known; a reload says why
  const bool unread = grants_.unread();
  grants_.withdraw_to(known_grantees(on_disk->grants, holder_ids_).grants);
  apply_grants();
  if (unread || !grants_.unread()) return;
  context_.log.say(Severity::kWarning, "grants",
                   "the grants on disk changed beside the roster: those that went are withdrawn, "
                   "those that came wait for a reload");
}

// Even where the text is the same a name may have come to mean another user.
void Daemon::look_up_names() {
  if (std::exchange(names_asked_, true)) {
    names_changed_ = true;
    return;
  }
  names_again_.cancel();
  names_->run(
      [grants = settings_.grants, known = holder_ids_] { return find_grantees(grants, known); },
      [this](Grantees found) {
        names_asked_ = false;
        if (std::exchange(names_changed_, false)) return look_up_names();
        take_names(std::move(found));
      });
}

void Daemon::take_names(Grantees found) {
  std::vector<std::string> why;
  for (const HeldGrant& grant : found.held) why.push_back(grant.why);
  for (const std::string& each : why) {
    if (std::ranges::find(held_told_, each) != held_told_.end()) continue;
    context_.log.say(Severity::kWarning, "grants", "a grant is held back: " + each);
  }
  if (why.empty() && !held_told_.empty()) {
    context_.log.say(Severity::kInfo, "grants", "no grant is held back any more");
  }
  held_told_ = why;
  readings_.grants_held(std::move(why));
  grants_.correct(found.grants);
  holder_ids_ = std::move(found.ids);
  apply_grants();
  look_up_names_later(found.may_come());
  names_settled();
}

void Daemon::names_settled() {
  for (auto& wanted : std::exchange(names_wanted_, {})) wanted();
}

void Daemon::look_up_names_later(bool wanted) {
  if (!wanted || stopping_) return;
  names_pause_ = std::clamp(2 * names_pause_, kNamesAgainMin, kNamesAgainMax);
  names_again_.expires_after(names_pause_);
  names_again_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_up_names();
  });
}

// At once, for open connections too.
void Daemon::apply_grants() {
  readings_.grants_wait(grants_.waiting());
  readings_.grants_unread(grants_.unread());
  AccessPolicy policy = grants_.policy();
  if (policy == access_) return;
  access_ = std::move(policy);
  if (token_server_) token_server_->grants_changed();
  if (admin_server_) admin_server_->grants_changed();
}

// One entry for each grant that went, and for each that came.
void Daemon::note_grants(const std::vector<GrantSettings>& before,
                         const std::vector<GrantSettings>& after) {
  const auto note_missing = [this](const auto& in, const auto& from, std::string_view what) {
    for (const GrantSettings& grant : in) {
      const std::string text = text_of(grant);
      const bool there = std::ranges::any_of(
          from, [&](const GrantSettings& other) { return text_of(other) == text; });
      if (there) continue;
      note(AuditEvent::kGrantsChanged, shortened(fmt::format("{}: {}", what, text), kGrantTextMax));
    }
  };
  note_missing(before, after, "withdrawn");
  note_missing(after, before, "granted");
}

}  // namespace rota
