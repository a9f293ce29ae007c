#include "e2e/community_actors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/fingerprint.h"

namespace rota::e2e {
namespace {

bool unanswered(const Reply& reply) { return reply.status == 0; }

// That of a daemon that died while it wrote is none.
Reply whole(const Reply& reply) {
  const auto length_at = reply.head.find("Content-Length: ");
  constexpr std::size_t kNumberAt = 16;
  const bool is_whole =
      length_at == std::string::npos ||
      reply.body.size() == std::strtoul(reply.head.c_str() + length_at + kNumberAt, nullptr, 10);
  return is_whole ? reply : Reply{};
}

std::string circle_path(std::string_view rest) { return fmt::format("/api/v1/headless/{}", rest); }

std::string json_of(std::string_view field, std::string_view text) {
  return fmt::format(R"({{"{}":"{}"}})", field, text);
}

std::string path_of(const Name& name, std::string_view rest = "") {
  return fmt::format("/v1/members/{}{}", name.key, rest);
}

}  // namespace

// --- Actor ---

void Actor::run() {
  while (gate_.enter()) {
    do {
      act();
    } while (!gate_.closed_within(pace()));
    gate_.leave();
  }
}

Connection Actor::send(const Request& request) const {
  std::string head = fmt::format(
      "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n",
      request.method, request.path, request.body.size());
  const bool by_listener = request.door == Door::kListener;
  if (by_listener) head += fmt::format("Authorization: Bearer {}\r\n", doors_.bearer);
  Connection connection = by_listener ? Connection::to_port(doors_.port)
                                      : Connection::to_unix(doors_.daemon.token_socket());
  connection.send(fmt::format("{}\r\n{}", head, request.body));
  return connection;
}

Reply Actor::call(const Request& request) const {
  Connection connection = send(request);
  return whole(connection.read_reply());
}

std::pair<Reply, Reply> Actor::call_both(const Request& one, const Request& other) const {
  Connection first = send(one);
  Connection second = send(other);
  Reply answer = whole(first.read_reply());
  return {std::move(answer), whole(second.read_reply())};
}

Reply Actor::insist(const Request& request) {
  constexpr Duration kAgain{30};
  Reply reply;
  do {
    reply = call(request);
  } while ((unanswered(reply) || reply.status == 503) && !gate_.closed_within(kAgain));
  return reply;
}

void Actor::circle_has(int person, const std::string& email, const std::string& sso) const {
  const Reply reply = sandbox_.control(
      post("/_sandbox/members",
           fmt::format(R"({{"id":{},"email":"{}","sso_user_id":"{}"}})", person, email, sso)));
  EXPECT_EQ(reply.status, 200) << reply.body;
}

// --- App ---

App::App(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
         std::uint64_t seed, int first, int last)
    : Actor(doors, sandbox, gate, history, seed) {
  for (int id = first; id <= last; ++id) persons_.emplace_back().id = id;
}

std::vector<Name> App::members() const {
  std::vector<Name> names;
  for (const Person& person : persons_) {
    if (!person.sure() || person.was_moved || person.gone || person.blocked) continue;
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

// --- RosterKeeper ---

RosterKeeper::RosterKeeper(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
                           std::uint64_t seed, int first, int last)
    : Actor(doors, sandbox, gate, history, seed),
      first_(first),
      entries_(static_cast<std::size_t>(last - first + 1), Entry::kNamed) {
  for (int person = first; person <= last; ++person) history_.wants(name_of(person), true);
}

std::string RosterKeeper::roster() const {
  std::string text;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const int person = first_ + static_cast<int>(i);
    if (entries_[i] == Entry::kNone) continue;
    text += person % 2 == 0 ? fmt::format("[[member]]\nemail = \"member{}@example.com\"\n", person)
                            : fmt::format("[[member]]\ncommunity_member_id = {}\n", person);
    if (entries_[i] == Entry::kRetired) text += "retired = true\n";
  }
  return text;
}

std::vector<Name> RosterKeeper::members() const {
  std::vector<Name> names;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i] == Entry::kNamed) names.push_back(name_of(first_ + static_cast<int>(i)));
  }
  return names;
}

void RosterKeeper::act() {
  const std::size_t i = kStays + random_.below(entries_.size() - kStays);
  const int person = first_ + static_cast<int>(i);
  const Name name = name_of(person);
  const WallTime now = wall_now();
  const bool leaves = entries_[i] == Entry::kNamed;
  if (leaves) {
    // What a client said of it ends with its entry.
    if (one_of(2)) insist({Door::kListener, "PUT", path_of(name)});
    entries_[i] = one_of(2) ? Entry::kNone : Entry::kRetired;
    history_.cut(person, {.from = now, .to = now});
  } else {
    entries_[i] = Entry::kNamed;
    history_.back(person, now);
    history_.wants(name, true);
  }
  doors_.daemon.write_roster(roster());
  constexpr Duration kAgain{30};
  while (doors_.daemon.admin(post("/v1/roster/reload")).status != 200) {
    if (gate_.closed_within(kAgain)) return;
  }
  const WallTime answered = wall_now();
  history_.cut(person, {.from = now, .to = answered});
  if (!leaves) return;
  history_.out(person, answered);
  history_.wants(name, false);
}

// --- Reader ---

void Reader::act() {
  constexpr std::uint64_t kWrongOneOf = 20;
  const Door door = any_door();
  if (one_of(kWrongOneOf)) {
    const std::string key = fmt::format("nobody{}@example.com", random_.below(3));
    history_.wrong_name(key);
    const Reply reply =
        call({door, "GET", fmt::format("/v1/token?email={}&enrol=true&wait=1", key)});
    EXPECT_NE(reply.status, 200) << key;
    return;
  }
  const int person = 1 + static_cast<int>(random_.below(static_cast<std::uint64_t>(persons_)));
  const Name name = names_of(person).at(random_.below(3));
  const WallTime sent = wall_now();
  const Reply reply =
      // Not one of them makes a call for a token that is alive.
      call({door, "GET",
            fmt::format("/v1/token?{}&min_ttl=0&wait={}", name.query, one_of(2) ? "0" : "1s")});
  const std::string token = reply.text("access_token");
  const Span span{.from = sent, .to = wall_now()};
  if (reply.status == 200 && !token.empty()) history_.saw(name, token, span);
  if (reply.status >= 400) history_.refused(name, span);
}

// --- Watcher ---

void Watcher::act() {
  constexpr Duration kPatience{100};
  if (!stream_) {
    std::string path = "/v1/watch?";
    for (int person = 1; person <= persons_; ++person) {
      path += fmt::format("{}&{}&", email_of(person).query, sso_of(person).query);
    }
    path.pop_back();
    stream_.emplace(send({any_door(), "GET", path}));
    begun_.clear();
    const std::string head = stream_->read_until("\r\n\r\n", kPatience * 10);
    if (head.starts_with("HTTP/1.1 200")) return;
    EXPECT_FALSE(head.starts_with("HTTP/1.1 4")) << head;
    stream_.reset();
    gate_.closed_within(kPatience);
    return;
  }
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  const std::string text = stream_->read_until("\n\n", kPatience);
  begun_ += text;
  if (std::chrono::steady_clock::now() >= give_up) return;  // the rest may be on its way
  if (text.empty()) stream_.reset();
  note(begun_);
  begun_.clear();
}

// It was told of it at most so long ago.
void Watcher::note(std::string_view event) {
  constexpr Duration kOnItsWay{1'000};
  constexpr std::string_view kToken = "event: token\ndata: ";
  if (!event.starts_with(kToken)) return;
  const Reply data{.status = 200, .head = {}, .body = std::string(event.substr(kToken.size()))};
  const std::string member = data.text("member");
  const std::string token = data.text("access_token");
  const WallTime now = wall_now();
  for (int person = 1; person <= persons_; ++person) {
    for (const Name& name : {email_of(person), sso_of(person)}) {
      if (name.key == member && !token.empty()) {
        history_.saw(name, token, {.from = now - kOnItsWay, .to = now});
      }
    }
  }
}

// --- DiskProbe ---

// A refresh needs two commits and the time of a call, and has 1.5 s.
void DiskProbe::act() {
  constexpr Duration kTooLong{400};
  const std::string path = (doors_.daemon.folder() / "probe").string();
  const WallTime from = wall_now();
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  EXPECT_EQ(::write(fd, path.data(), path.size()), static_cast<ssize_t>(path.size()));
  EXPECT_EQ(::fsync(fd), 0);
  ::close(fd);
  const WallTime to = wall_now();
  if (to - from > kTooLong) history_.stalled({.from = from, .to = to});
}

}  // namespace rota::e2e
