#include "daemon/grant_keeper.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

constexpr std::size_t kGrantTextMax = 1'000;  // a grant may name very many
constexpr Duration kNamesAgainMin{2'000};
constexpr Duration kNamesAgainMax{60'000};
constexpr std::size_t kNameJobsMax = 4;  // one look-up at a time

std::string_view name_of(GrantSettings::Holder holder) {
  switch (holder) {
    case GrantSettings::Holder::kUser:
      return "user";
    case GrantSettings::Holder::kGroup:
      return "group";
    case GrantSettings::Holder::kClient:
      return "client";
  }
  ROTA_CHECK(false);
}

std::string_view name_of(Right right) {
  switch (right) {
    case Right::kFetch:
      return "fetch";
    case Right::kEnrol:
      return "enrol";
    case Right::kSignOut:
      return "sign_out";
    case Right::kRemove:
      return "remove";
  }
  ROTA_CHECK(false);
}

// The grant as the configuration has it, without its line.
std::string text_of(const GrantSettings& grant) {
  std::string text = fmt::format(
      "{} {}:", name_of(grant.holder),
      is_plainly_no_secret(grant.name) ? grant.name : in_quotes_unless_secret(grant.name));
  if (grant.may != Rights{Right::kFetch}) {
    text += " may";
    for (const Right right : kRights) {
      if (grant.may.has(right)) text += fmt::format(" {}", name_of(right));
    }
    for (const std::string& tag : grant.enrol_tags) text += " enrol_tag:" + tag;
    text += ":";
  }
  if (grant.all_members) text += " *";
  for (const std::string& tag : grant.tags) text += " tag:" + tag;
  for (const MemberKey& key : grant.members) text += " " + key.text();
  return text;
}

std::unordered_set<std::string> texts_of(const std::vector<GrantSettings>& grants) {
  std::unordered_set<std::string> texts;
  for (const GrantSettings& grant : grants) texts.insert(text_of(grant));
  return texts;
}

const HeldGrant* wrong_one(const Grantees& grantees) {
  const auto wrong = std::ranges::find_if(grantees.held, &HeldGrant::is_wrong);
  return wrong == grantees.held.end() ? nullptr : &*wrong;
}

}  // namespace

Result<GrantKeeper::Names> GrantKeeper::look_up_at_start(boost::asio::io_context& loop,
                                                         const std::vector<GrantSettings>& grants) {
  auto worker = std::make_unique<Worker>(kNameJobsMax, loop.get_executor());
  auto answer = std::make_shared<std::promise<Grantees>>();
  auto answered = answer->get_future();
  worker->post([answer, grants] { answer->set_value(find_grantees(grants)); });
  Grantees found = answered.wait_for(kNamesAtStartMax) == std::future_status::ready
                       ? answered.get()
                       : known_grantees(grants, {});
  if (const HeldGrant* wrong = wrong_one(found)) return fail(ErrorKind::kConfig, wrong->why);
  return Names{.worker = std::move(worker), .found = std::move(found)};
}

GrantKeeper::GrantKeeper(Parts parts, std::vector<GrantSettings> grants, Names names)
    : parts_(parts),
      grants_(std::move(grants)),
      kept_(grants_),
      in_force_(::geteuid(), names.found.grants),
      policy_(in_force_.policy()),
      again_(parts_.loop),
      worker_(std::move(names.worker)) {
  take(std::move(names.found));
}

// A withdrawal must not wait for names that take long to look up, nor for a broken roster.
ReloadChanges GrantKeeper::put(std::vector<GrantSettings> fresh) {
  const auto since = static_cast<std::uint64_t>(parts_.readings.next());
  const Grantees known = known_grantees(fresh, holder_ids_);
  in_force_.put(known.grants, since, known.held.empty());
  apply();
  ReloadChanges changes;
  if (fresh != grants_ || fresh != kept_) {
    parts_.log.say(Severity::kInfo, "grants",
                   fmt::format("new grants were read: {}", fresh.size()));
    changes = note_changes(kept_, fresh);
    kept_ = grants_ = std::move(fresh);
  }
  pause_ = Duration{0};
  look_up();
  return changes;
}

// If both changed on disk, a grant that was removed must not be applied to the tags of the new
// roster.
ReloadChanges GrantKeeper::withdraw_to(const std::vector<GrantSettings>& on_disk) {
  const bool unread = in_force_.unread();
  in_force_.withdraw_to(known_grantees(on_disk, holder_ids_).grants);
  apply();
  const auto texts = texts_of(on_disk);
  std::vector<GrantSettings> kept = grants_;
  std::erase_if(kept, [&](const GrantSettings& grant) { return !texts.contains(text_of(grant)); });
  const ReloadChanges changes = note_changes(kept_, kept);
  kept_ = std::move(kept);
  if (!unread && in_force_.unread()) {
    parts_.log.say(Severity::kWarning, "grants",
                   "the grants on disk are not those in force: removed ones are withdrawn, added "
                   "ones wait for a reload");
  }
  return changes;
}

void GrantKeeper::roster_in_force(Readings::Id reading) {
  in_force_.roster_in_force(static_cast<std::uint64_t>(reading));
  apply();
}

// Even if the text is the same, a name may belong to another user by now.
void GrantKeeper::look_up() {
  switch (look_up_) {
    case LookUp::kRunning:
    case LookUp::kOutdated:
      look_up_ = LookUp::kOutdated;
      return;
    case LookUp::kNone:
      break;
  }
  look_up_ = LookUp::kRunning;
  again_.cancel();
  worker_->run([grants = grants_, known = holder_ids_] { return find_grantees(grants, known); },
               [this](Grantees found) { looked_up(std::move(found)); });
}

void GrantKeeper::looked_up(Grantees found) {
  if (std::exchange(look_up_, LookUp::kNone) == LookUp::kOutdated) return look_up();
  take(std::move(found));
}

void GrantKeeper::take(Grantees found) {
  std::vector<std::string> why;
  for (const HeldGrant& grant : found.held) why.push_back(grant.why);
  for (const std::string& each : why) {
    if (std::ranges::find(held_told_, each) != held_told_.end()) continue;
    parts_.log.say(Severity::kWarning, "grants", "a grant is held back: " + each);
  }
  if (why.empty() && !held_told_.empty()) {
    parts_.log.say(Severity::kInfo, "grants", "no grant is held back any more");
  }
  held_told_ = why;
  parts_.readings.grants_held(std::move(why));
  in_force_.correct(found.grants);
  holder_ids_ = std::move(found.ids);
  apply();
  if (found.may_come()) look_up_later();
  for (auto& done : std::exchange(waiting_for_names_, {})) done();
}

void GrantKeeper::wait_for_names(std::move_only_function<void()> done) {
  if (look_up_ == LookUp::kNone) return done();
  // Whichever comes first takes it.
  const auto once = std::make_shared<std::move_only_function<void()>>(std::move(done));
  const auto call = [once] {
    if (*once) std::exchange(*once, nullptr)();
  };
  waiting_for_names_.emplace_back(call);
  const auto limit = std::make_shared<boost::asio::steady_timer>(parts_.loop, kNamesMax);
  limit->async_wait([limit, call](const boost::system::error_code&) { call(); });
}

void GrantKeeper::look_up_later() {
  if (stopped_) return;
  pause_ = std::clamp(2 * pause_, kNamesAgainMin, kNamesAgainMax);
  again_.expires_after(pause_);
  again_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_up();
  });
}

void GrantKeeper::stop() {
  stopped_ = true;
  again_.cancel();
}

// Takes effect at once, for open connections too.
void GrantKeeper::apply() {
  parts_.readings.grants_wait(in_force_.waiting());
  parts_.readings.grants_unread(in_force_.unread());
  AccessPolicy policy = in_force_.policy();
  if (policy == policy_) return;
  policy_ = std::move(policy);
  changed_();
}

// One entry for each grant that was removed, and for each that was added.
ReloadChanges GrantKeeper::note_changes(const std::vector<GrantSettings>& before,
                                        const std::vector<GrantSettings>& after) {
  const auto note_missing = [this](const auto& in, const auto& from, std::string_view what) {
    std::size_t missing = 0;
    const auto there = texts_of(from);
    for (const GrantSettings& grant : in) {
      const std::string text = text_of(grant);
      if (there.contains(text)) continue;
      parts_.notes.note(AuditEvent::kGrantsChanged,
                        shortened(fmt::format("{}: {}", what, text), kGrantTextMax));
      ++missing;
    }
    return missing;
  };
  ReloadChanges changes;
  changes.removed = note_missing(before, after, "withdrawn");
  changes.added = note_missing(after, before, "granted");
  return changes;
}

}  // namespace rota
