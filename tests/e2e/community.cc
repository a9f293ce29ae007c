#include "e2e/community.h"

#include <fmt/format.h>

namespace rota::e2e {
namespace {

// "email:member5@example.com", "sso:sso%7C5", "id:5".
int person_of(std::string_view key) {
  const auto at = key.find_first_of("123456789", key.starts_with("sso:") ? key.find("%7C") + 3 : 0);
  return at == std::string_view::npos ? 0 : std::atoi(std::string(key.substr(at)).c_str());
}

}  // namespace

Name email_of(int person) {
  const std::string address = fmt::format("member{}@example.com", person);
  return {.key = "email:" + address,
          .query = "email=" + address,
          .body = fmt::format(R"({{"email":"{}"}})", address)};
}

Name sso_of(int person) {
  return {.key = fmt::format("sso:sso%7C{}", person),
          .query = fmt::format("sso_user_id=sso%7C{}", person),
          .body = fmt::format(R"({{"sso_user_id":"sso|{}"}})", person)};
}

Name id_of(int person) {
  return {.key = fmt::format("id:{}", person),
          .query = fmt::format("community_member_id={}", person),
          .body = fmt::format(R"({{"community_member_id":{}}})", person)};
}

std::array<Name, 3> names_of(int person) {
  return {email_of(person), sso_of(person), id_of(person)};
}

std::size_t History::known(const Name& name) {
  const auto [at, is_new] = name_ids_.try_emplace(name.key, names_.size());
  if (is_new) {
    const int person = person_of(name.key);
    names_.push_back({.key = name.key,
                      .person = person,
                      .owners = {{person, {.from = WallTime{}, .to = kEver}}}});
  }
  return at->second;
}

void History::saw(const Name& name, const std::string& token, Span request) {
  const std::scoped_lock lock(mutex_);
  const std::size_t id = known(name);
  const auto [at, is_new] = token_ids_.try_emplace(token, tokens_.size());
  if (is_new) tokens_.push_back(token);
  persons_[names_[id].person].tokens.insert(token);
  sightings_.push_back({.name = id, .token = at->second, .request = request});
}

void History::refused(const Name& name, Span request) {
  const std::scoped_lock lock(mutex_);
  refused_.emplace_back(known(name), request);
}

void History::moved(const Name& name, int from, int to, Span when) {
  const std::scoped_lock lock(mutex_);
  Known& known_name = names_[known(name)];
  known_name.owners.back().second.to = when.to;
  known_name.owners.push_back({to, {.from = when.from, .to = kEver}});
  persons_[from].heir = to;
  for (const int person : {from, to}) persons_[person].moved = true;
  add_deed(from, when);
}

// By the address of one that moved it, Circle is asked for the other.
void History::add_deed(int person, Span when) {
  persons_[person].deeds.push_back(when);
  if (const int heir = persons_[person].heir) persons_[heir].deeds.push_back(when);
}

void History::deed(int person, Span when) {
  const std::scoped_lock lock(mutex_);
  add_deed(person, when);
}

void History::asked_again(int person, Span when) {
  const std::scoped_lock lock(mutex_);
  persons_[person].asked_again.push_back(when);
  if (const int heir = persons_[person].heir) persons_[heir].asked_again.push_back(when);
}

void History::cut(int person, Span when) {
  const std::scoped_lock lock(mutex_);
  add_deed(person, when);
  persons_[person].cuts.push_back(when);
}

void History::out(int person, WallTime since) {
  const std::scoped_lock lock(mutex_);
  auto& outs = persons_[person].outs;
  if (outs.empty() || outs.back().to != kEver) outs.push_back({.from = since, .to = kEver});
}

void History::back(int person, WallTime since) {
  const std::scoped_lock lock(mutex_);
  auto& outs = persons_[person].outs;
  if (!outs.empty() && outs.back().to == kEver) outs.back().to = since;
}

void History::signed_out(const Name& name, Span when) {
  const std::scoped_lock lock(mutex_);
  persons_[names_[known(name)].person].sign_outs.emplace_back(when, name.key);
}

void History::returned(const std::string& token, WallTime since) {
  const std::scoped_lock lock(mutex_);
  returned_.emplace(token, since);
}

void History::gone(int person, WallTime since) {
  const std::scoped_lock lock(mutex_);
  persons_[person].gone.push_back({.from = since, .to = kEver});
}

void History::rejoined(int person, WallTime since) {
  const std::scoped_lock lock(mutex_);
  persons_[person].gone.back().to = since;
  // Circle may have said of them that they are dead, and now they work again.
  persons_[person].tokens.clear();
}

void History::wants(const Name& name, bool wanted) {
  const std::scoped_lock lock(mutex_);
  known(name);
  if (wanted) wanted_.insert(name.key);
  if (!wanted) wanted_.erase(name.key);
}

void History::wrong_name(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  wrong_names_.insert(key);
}

void History::killed(Span until_ready) {
  const std::scoped_lock lock(mutex_);
  down_.push_back(until_ready);
  ++kills_;
}

void History::foul(Span weather) {
  const std::scoped_lock lock(mutex_);
  foul_.push_back(weather);
}

void History::stalled(Span stall) {
  const std::scoped_lock lock(mutex_);
  stalls_.push_back(stall);
}

std::vector<std::string> History::tokens_of(int person) const {
  const std::scoped_lock lock(mutex_);
  const auto at = persons_.find(person);
  if (at == persons_.end()) return {};
  return {at->second.tokens.begin(), at->second.tokens.end()};
}

}  // namespace rota::e2e
