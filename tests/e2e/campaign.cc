#include "e2e/campaign.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>

#include "base/fingerprint.h"

namespace rota::e2e {
namespace {

constexpr Duration kPace{2};  // of one client: the processors are the daemon's, too

std::string text_of(const boost::json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

WallTime time_of(const boost::json::object& object, std::string_view name) {
  return parse_iso8601(text_of(object, name)).value_or(WallTime{});
}

class Client {
 public:
  Client(ClientPlan plan, int members, std::uint64_t seed, const Daemon& daemon, Gate& gate,
         Book& book)
      : plan_(std::move(plan)),
        members_(members),
        random_(seed),
        daemon_(daemon),
        gate_(gate),
        book_(book) {}

  void run() {
    while (gate_.enter()) {
      do {
        fetch();
      } while (!gate_.closed_within(kPace));
      connection_.reset();
      gate_.leave();
    }
  }

 private:
  void fetch() {
    if (!connection_ || !plan_.keep_alive) {
      connection_.emplace(Connection::to_unix(daemon_.token_socket()));
    }
    const int member = 1 + static_cast<int>(random_.below(static_cast<std::uint64_t>(members_)));
    std::string query = query_of(member) + plan_.options;
    std::string& last = last_[member];
    constexpr std::uint64_t kRefusesOneOf = 8;
    if (plan_.refuses_sometimes && !last.empty() && random_.below(kRefusesOneOf) == 0) {
      query += "&refused=" + format_fingerprint(fingerprint_of(last));
    }
    const WallTime sent = wall_now();
    connection_->send(get("/v1/token?" + query));
    const Reply reply = connection_->read_reply();
    if (reply.status == 0) connection_.reset();  // the daemon is dead, or not there yet
    if (reply.status != 200) return;
    // The reply of a daemon that dies while it writes is no reply.
    const auto body = reply.json();
    if (!body.contains("access_token")) return;
    const std::string token = text_of(body, "access_token");
    book_.saw(member, token, sent, wall_now());
    EXPECT_EQ(body.at("community_member_id").as_int64(), member);
    last = token;
  }

  const ClientPlan plan_;
  const int members_;
  Random random_;
  const Daemon& daemon_;
  Gate& gate_;
  Book& book_;
  std::optional<Connection> connection_;
  std::map<int, std::string> last_;
};

}  // namespace

WallTime wall_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string query_of(int member) {
  switch (member % 3) {
    case 0:
      return fmt::format("community_member_id={}", member);
    case 1:
      return fmt::format("email=member{}@example.com", member);
    default:
      return fmt::format("sso_user_id=sso%7C{}", member);
  }
}

std::string entry_of(int member, bool retired) {
  const std::string selector = member % 3 == 0 ? fmt::format("community_member_id = {}", member)
                               : member % 3 == 1
                                   ? fmt::format("email = \"member{}@example.com\"", member)
                                   : fmt::format("sso_user_id = \"sso|{}\"", member);
  return fmt::format("[[member]]\n{}\n{}\n", selector, retired ? "retired = true\n" : "");
}

void Gate::open() {
  const std::scoped_lock lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::close() {
  std::unique_lock lock(mutex_);
  open_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return inside_ == 0; });
}

void Gate::end() {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool Gate::enter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open_ || ended_; });
  if (!open_) return false;
  ++inside_;
  return true;
}

void Gate::leave() {
  std::unique_lock lock(mutex_);
  --inside_;
  changed_.notify_all();
}

bool Gate::is_open() const {
  const std::scoped_lock lock(mutex_);
  return open_;
}

bool Gate::closed_within(Duration delay) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, delay, [this] { return !open_; });
}

void Book::saw(int member, const std::string& token, WallTime sent, WallTime received) {
  const std::scoped_lock lock(mutex_);
  ++fetches_;
  const auto [seen, news] = tokens_.try_emplace(
      token, Sightings{.member = member, .first_received = received, .last_sent = sent});
  if (const pid_t victim = news ? victim_.exchange(0) : 0) ::kill(victim, SIGKILL);
  Sightings& sightings = seen->second;
  if (sightings.member != member) {
    after_the_end_.push_back(
        fmt::format("a token of {} was served for {}", sightings.member, member));
  }
  sightings.first_received = std::min(sightings.first_received, received);
  sightings.last_sent = std::max(sightings.last_sent, sent);
  const auto since = gone_.find(member);
  if (since != gone_.end() && sent > since->second) {
    after_the_end_.push_back(fmt::format("{} is gone since {} and was served at {}", member,
                                         format_iso8601(since->second), format_iso8601(sent)));
  }
}

void Book::gone(int member, WallTime since) {
  const std::scoped_lock lock(mutex_);
  gone_.emplace(member, since);
}

void Book::back(int member) {
  const std::scoped_lock lock(mutex_);
  gone_.erase(member);
  back_[member] = wall_now();
}

bool Book::knows(const std::string& token) const {
  const std::scoped_lock lock(mutex_);
  return tokens_.contains(token);
}

bool Book::still_counts(const std::string& token) const {
  const std::scoped_lock lock(mutex_);
  const auto seen = tokens_.find(token);
  if (seen == tokens_.end()) return false;
  const auto back = back_.find(seen->second.member);
  return back == back_.end() || seen->second.last_sent > back->second;
}

std::size_t Book::fetches() const {
  const std::scoped_lock lock(mutex_);
  return fetches_;
}

std::size_t Book::tokens() const {
  const std::scoped_lock lock(mutex_);
  return tokens_.size();
}

void Book::judge(const boost::json::array& ledger, Duration offset) const {
  const std::scoped_lock lock(mutex_);
  for (const std::string& breach : after_the_end_) ADD_FAILURE() << breach;
  // In the ledger's order, which is that of issuing.
  std::map<int, std::vector<Sightings>> by_member;
  std::size_t found = 0;
  for (const auto& each : ledger) {
    const auto& row = each.as_object();
    const auto seen = tokens_.find(text_of(row, "token"));
    if (seen == tokens_.end()) continue;
    ++found;
    const Sightings& sightings = seen->second;
    const int member = row.at("community_member_id").to_number<int>();
    EXPECT_EQ(sightings.member, member) << "another member's token was served";
    EXPECT_TRUE(row.at("delivered").as_bool()) << "served, though its reply was never complete";
    EXPECT_LT(sightings.last_sent + offset, time_of(row, "expires_at"))
        << "an expired token of " << member << " was served";
    for (const Sightings& older : by_member[member]) {
      EXPECT_LE(older.last_sent, sightings.first_received)
          << "an older token of " << member << " was served after a newer one";
    }
    by_member[member].push_back(sightings);
  }
  EXPECT_EQ(found, tokens_.size()) << "a token was served that the sandbox never made";
}

std::thread start_client(const ClientPlan& plan, int members, std::uint64_t seed,
                         const Daemon& daemon, Gate& gate, Book& book) {
  return std::thread([plan, members, seed, &daemon, &gate, &book] {
    Client(plan, members, seed, daemon, gate, book).run();
  });
}

std::map<int, LedgerToken> newest_living(const Sandbox& sandbox,
                                         const std::function<bool(const std::string&)>& counts) {
  const auto ledger = sandbox.control(get("/_sandbox/ledger?kind=access&state=live")).json();
  std::map<int, LedgerToken> newest;
  for (const auto& each : ledger.at("tokens").as_array()) {
    const auto& row = each.as_object();
    const std::string token = text_of(row, "token");
    if (!counts(token)) continue;
    newest[row.at("community_member_id").to_number<int>()] = {
        .token = token,
        .issued_at = text_of(row, "issued_at"),
        .expires_at = time_of(row, "expires_at")};
  }
  return newest;
}

}  // namespace rota::e2e
