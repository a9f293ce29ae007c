#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/fingerprint.h"
#include "e2e/community_actors.h"

// What the programs of a community do with the people that they have as members.

namespace rota::e2e {
namespace {

std::string circle_path(std::string_view rest) { return fmt::format("/api/v1/headless/{}", rest); }

std::string json_of(std::string_view field, std::string_view text) {
  return fmt::format(R"({{"{}":"{}"}})", field, text);
}

std::string path_of(const Name& name, std::string_view rest = "") {
  return fmt::format("/v1/members/{}{}", name.key, rest);
}

}  // namespace

App::App(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
         std::uint64_t seed, int first, int last)
    : Actor(doors, sandbox, gate, history, seed) {
  for (int id = first; id <= last; ++id) persons_.emplace_back().id = id;
}

std::vector<Name> App::members() const {
  std::vector<Name> names;
  for (const Person& person : persons_) {
    if (!person.sure() || person.was_moved || person.gone || person.blocked) continue;
    if (person.unclear) continue;  // nobody knows whether the name of the last request is its own
    const auto used = std::ranges::find(person.uses, true) - person.uses.begin();
    names.push_back(names_of(person.id).at(static_cast<std::size_t>(used)));
  }
  return names;
}

void App::act() { act_for(persons_[random_.below(persons_.size())]); }

void App::act_for(Person& person) {
  if (person.blocked) return act_for_blocked(person);
  if (!person.sure()) {
    if (!person.out() && one_of(2)) return leave(person, true);
    return sign_up(person);
  }
  if (!has_moved_ && person.uses[0]) return move_address(person);  // early, to see what comes of it
  constexpr std::uint64_t kChoices = 150;
  switch (random_.below(kChoices)) {
    case 0:
    case 1:
    case 2:
      return sign_out(person);
    case 3:
    case 4:
    case 5:
      return give_token_back(person);
    case 6:
    case 7:
      return leave(person, false);
    case 8:
    case 9:
    case 10:
      return leave(person, true);
    case 11:
      return leave_circle(person);
    case 12:
    case 13:
      return sign_up(person);
    case 14:
    case 15:
      if (person.heir) return reinstate(person);
      return one_of(4) ? move_address(person) : sign_up(person);
    case 16:
    case 17:
      return end_handle(person);
    case 18:
      return refuse(person);
    case 19:
    case 20:
    case 21:
      return refresh(person);
    case 22:
    case 23:
      return rush(person);
    case 24:
      return block(person);
    default:
      return log_in(person);
  }
}

Name App::name_of(const Person& person) {
  const auto names = names_of(person.id);
  std::size_t at = random_.below(names.size());
  for (std::size_t i = 0; i < names.size() && !person.uses[at]; ++i) at = (at + 1) % names.size();
  return names[at];
}

void App::note_served(Person& person, const Name& name, const Reply& reply, Span span) {
  const std::string token = reply.text("access_token");
  if (reply.status != 200 || token.empty()) return;
  history_.saw(name, token, span);
  person.token = token;
}

// By any name that it does not use yet, so that some are known by several.
void App::sign_up(Person& person) {
  if (person.gone) {
    circle_has(person.id, person.heir ? "" : fmt::format("member{}@example.com", person.id),
               fmt::format("sso|{}", person.id));
    history_.rejoined(person.id, wall_now());
    person.gone = false;
  }
  const auto names = names_of(person.id);
  std::size_t at = random_.below(names.size());
  for (std::size_t i = 0; i < names.size() && person.uses[at]; ++i) at = (at + 1) % names.size();
  const Name& name = names[at];
  const Door door = any_door();
  Session& session = person.session(door);
  const bool puts = one_of(2);
  const WallTime sent = wall_now();
  history_.back(person.id, sent);
  history_.wants(name, true);
  person.uses[at] = true;
  const Reply reply = puts
                          ? call({door, "PUT", path_of(name)})
                          : call({door, "GET", fmt::format("/v1/token?{}&enrol=true", name.query)});
  const Span span{.from = sent, .to = wall_now()};
  history_.cut(person.id, span);
  if (!puts) note_served(person, name, reply, span);
  // A fetch enrols nobody who is a member already.
  const bool surely = (puts && (reply.status == 200 || reply.status == 201)) ||
                      (!puts && reply.status == 200 && person.out());
  if (surely) {
    session.in = In::kYes;
  } else if (session.in == In::kNo) {
    session.in = In::kMaybe;
  }
  if (reply.status != 200 && reply.status != 201) person.unclear = true;
  EXPECT_NE(reply.status, 403) << reply.body;
  EXPECT_NE(reply.status, 401) << reply.body;
}

void App::log_in(Person& person) {
  const Name name = name_of(person);
  const Door door = any_door();
  Session& session = person.session(door);
  const WallTime sent = wall_now();
  const Reply reply = call({door, "POST", circle_path("auth_token"), name.body});
  const Span span{.from = sent, .to = wall_now()};
  note_served(person, name, reply, span);
  history_.asked_again(person.id, span);
  if (session.in == In::kNo) session.in = In::kMaybe;  // had it no token, it was enrolled
  if (reply.status == 200) session.handle = reply.text("refresh_token");
}

void App::refresh(Person& person) {
  const Door door = any_door();
  Session& session = person.session(door);
  if (session.handle.empty()) return log_in(person);
  const WallTime sent = wall_now();
  const Reply reply = call({door, "PATCH", circle_path("access_token/refresh"),
                            json_of("refresh_token", session.handle)});
  const Span span{.from = sent, .to = wall_now()};
  history_.asked_again(person.id, span);
  // The handle names who had the name at the login.
  if (!person.was_moved) note_served(person, name_of(person), reply, span);
  if (reply.status == 404) session.handle.clear();
}

// A client that says that Circle refused its token.
void App::refuse(Person& person) {
  if (person.token.empty()) return log_in(person);
  const Name name = name_of(person);
  const WallTime sent = wall_now();
  const Reply reply = call({any_door(), "GET",
                            fmt::format("/v1/token?{}&refused={}", name.query,
                                        format_fingerprint(fingerprint_of(person.token)))});
  const Span span{.from = sent, .to = wall_now()};
  history_.deed(person.id, span);
  note_served(person, name, reply, span);
}

// Two programs at the same moment, by two names or against each other. If nobody can tell which was
// first, the person leaves.
void App::rush(Person& person) {
  const Name address = email_of(person.id);
  const Name sso = sso_of(person.id);
  const WallTime sent = wall_now();
  for (const Name& name : {address, sso}) history_.wants(name, true);
  person.uses[0] = person.uses[1] = true;
  const Request enrols{Door::kSocket, "PUT", path_of(address)};
  const Request logs_in{Door::kListener, "POST", circle_path("auth_token"), sso.body};
  const Request by_other_name{Door::kListener, "PUT", path_of(sso)};
  const Request signs_out{Door::kSocket, "POST", path_of(address, "/sign-out")};
  const Request removes{Door::kListener, "DELETE", path_of(address)};
  switch (random_.below(4)) {
    case 0:
      call_both(enrols, by_other_name);
      break;
    case 1:
      call_both(logs_in, signs_out);
      break;
    case 2:
      call_both(removes, enrols);
      break;
    default:
      call_both(logs_in, removes);
      break;
  }
  history_.cut(person.id, {.from = sent, .to = wall_now()});
  for (Session& session : person.at) session.in = In::kMaybe;
  person.unclear = true;
  if (one_of(2)) leave(person, true);
}

void App::end_handle(Person& person) {
  const Door door = any_door();
  Session& session = person.session(door);
  if (session.handle.empty()) return;
  const std::string body = json_of("refresh_token", session.handle);
  const Reply reply = call({door, "POST", circle_path("refresh_token/revoke"), body});
  if (reply.status != 204) return;
  const Reply refreshed = call({door, "PATCH", circle_path("access_token/refresh"), body});
  EXPECT_NE(refreshed.status, 200) << "a revoked handle works";
  session.handle.clear();
}

// The one token dies, and the logins stay.
void App::give_token_back(Person& person) {
  if (person.token.empty()) return log_in(person);
  const WallTime sent = wall_now();
  const Reply reply = call({any_door(), "POST", circle_path("access_token/revoke"),
                            json_of("access_token", person.token)});
  const WallTime answered = wall_now();
  history_.cut(person.id, {.from = sent, .to = answered});
  if (reply.status == 204) {
    history_.returned(person.token, answered);
    EXPECT_NE(sandbox_.state_of(person.token), "live") << "revoked, as the client was told";
  }
  person.token.clear();
}

void App::sign_out(Person& person) {
  const std::vector<std::string> before = history_.tokens_of(person.id);
  const Name name = name_of(person);
  const WallTime sent = wall_now();
  const Reply reply = call({any_door(), "POST", path_of(name, "/sign-out")});
  const WallTime answered = wall_now();
  history_.cut(person.id, {.from = sent, .to = answered});
  if (reply.status != 200 && reply.status != 202) return;
  if (person.unclear) return;  // it may be two members as yet
  history_.signed_out(name, {.from = sent, .to = answered});
  person.token.clear();
  if (person.was_moved || person.gone) return;
  if (reply.status == 200) {
    for (const std::string& token : before) {
      EXPECT_NE(sandbox_.state_of(token), "live") << "signed out, as the client was told";
    }
  }
  for (const Door door : {Door::kSocket, Door::kListener}) {
    std::string& handle = person.session(door).handle;
    if (handle.empty()) continue;
    const Reply refreshed = call(
        {door, "PATCH", circle_path("access_token/refresh"), json_of("refresh_token", handle)});
    EXPECT_NE(refreshed.status, 200) << "a handle of before the sign-out works: " << reply.body;
    handle.clear();
  }
}

// From this client's enrolments, or from both clients'.
void App::leave(Person& person, bool everywhere) {
  const Door one = any_door();
  history_.cut(person.id, {.from = wall_now(), .to = wall_now()});
  for (const Door door : {Door::kSocket, Door::kListener}) {
    if (!everywhere && door != one) continue;
    bool answered = true;
    for (const Name& name : names_of(person.id)) {
      const Reply reply = insist({door, "DELETE", path_of(name)});
      const bool ended =
          reply.status == 200 || reply.status == 202 || reply.status == 404 || reply.status == 410;
      EXPECT_TRUE(ended || unanswered(reply) || reply.status == 503) << reply.body;
      answered = answered && ended;
    }
    person.session(door).in = answered ? In::kNo : In::kMaybe;
  }
  const WallTime now = wall_now();
  history_.cut(person.id, {.from = now, .to = now});
  if (!person.out()) {
    // The other client's enrolments hold, if there are any.
    if (!person.sure()) history_.back(person.id, now);
    return;
  }
  history_.out(person.id, now);
  for (const Name& name : names_of(person.id)) history_.wants(name, false);
  person.uses = {};
  person.unclear = false;
  person.token.clear();
}

// Circle gives the address to somebody else.
void App::move_address(Person& person) {
  const WallTime sent = wall_now();
  circle_has(person.id + kHeirs, fmt::format("member{}@example.com", person.id), "");
  history_.moved(email_of(person.id), person.id, person.id + kHeirs,
                 {.from = sent, .to = wall_now()});
  person.heir = true;
  has_moved_ = true;
  person.was_moved = true;
}

// The natural order: Circle removes the person, and then the app does.
void App::leave_circle(Person& person) {
  if (person.was_moved) return;
  const WallTime sent = wall_now();
  history_.cut(person.id, {.from = sent, .to = sent});
  history_.gone(person.id, sent);
  const Reply reply = sandbox_.control(
      fmt::format("DELETE /_sandbox/members/{} HTTP/1.1\r\nHost: rota\r\nContent-Length: 0\r\n\r\n",
                  person.id));
  EXPECT_EQ(reply.status, 200) << reply.body;
  person.gone = true;
  leave(person, true);
}

// An operator takes it that the address is another person's.
void App::reinstate(const Person& person) {
  const WallTime sent = wall_now();
  doors_.daemon.admin(post(path_of(email_of(person.id), "/reinstate")));
  const Span span{.from = sent, .to = wall_now()};
  history_.deed(person.id, span);
  history_.deed(person.id + kHeirs, span);
}

// What an operator orders. False: nobody has answered when all ended.
bool App::order(const Name& name, std::string_view what) {
  constexpr Duration kAgain{30};
  for (;;) {
    const Reply reply = doors_.daemon.admin(post(path_of(name, what)));
    if (reply.status == 200 || reply.status == 202) return true;
    EXPECT_TRUE(unanswered(reply) || reply.status == 503) << reply.body;
    if (gate_.closed_within(kAgain)) return false;
  }
}

// Whatever clients say, the person is out until an operator takes it back.
void App::block(Person& person) {
  if (person.was_moved || person.unclear) return;
  const WallTime sent = wall_now();
  history_.cut(person.id, {.from = sent, .to = sent});
  const bool done = order(name_of(person), "/revoke");
  const WallTime answered = wall_now();
  history_.cut(person.id, {.from = sent, .to = answered});
  person.blocked = true;
  if (!done) return;
  history_.out(person.id, answered);
  for (const Name& name : names_of(person.id)) history_.wants(name, false);
}

void App::act_for_blocked(Person& person) {
  const Name name = name_of(person);
  if (!one_of(4)) {
    const WallTime sent = wall_now();
    const Reply reply = call({any_door(), "POST", circle_path("auth_token"), name.body});
    note_served(person, name, reply, {.from = sent, .to = wall_now()});
    return;
  }
  const WallTime sent = wall_now();
  history_.back(person.id, sent);
  for (const Name& each : names_of(person.id)) history_.wants(each, true);
  if (order(name, "/reinstate")) person.blocked = false;
  history_.cut(person.id, {.from = sent, .to = wall_now()});
}

}  // namespace rota::e2e
