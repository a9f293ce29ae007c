#include "e2e/community_actors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace rota::e2e {
namespace {

// That of a daemon that died while it wrote is none.
Reply whole(const Reply& reply) {
  const auto length_at = reply.head.find("Content-Length: ");
  constexpr std::size_t kNumberAt = 16;
  const bool is_whole =
      length_at == std::string::npos ||
      reply.body.size() == std::strtoul(reply.head.c_str() + length_at + kNumberAt, nullptr, 10);
  return is_whole ? reply : Reply{};
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
    if (one_of(2)) insist({Door::kListener, "PUT", "/v1/members/" + name.key});
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
