#include "fuzz/conversation.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <deque>
#include <memory>

#include "api/circle_logins.h"
#include "base/check.h"
#include "serve/session.h"
#include "unit/api/fakes.h"

namespace rota::fuzz {
namespace {

constexpr int kTurnsMax = 100'000;
constexpr std::string_view kIsStream = "\r\nContent-Type: text/event-stream\r\n";

// Keeps every order until the conversation ends it.
class OrderBook {
 public:
  void add(std::move_only_function<void()> end) { orders_.push_back(std::move(end)); }
  void add(std::move_only_function<void(Result<OperatorReport>)> done) {
    orders_.push_back([done = std::move(done)]() mutable {
      done(OperatorReport{.end = OperationEnd::kRevoked, .revocations = {}});
    });
  }
  bool finish_one() {
    if (orders_.empty()) return false;
    auto order = std::move(orders_.front());
    orders_.pop_front();
    order();
    return true;
  }

 private:
  std::deque<std::move_only_function<void()>> orders_;
};

class Admin : public FakeAdminService {
 public:
  explicit Admin(OrderBook& orders) : orders_(orders) {}

  void operate(OperatorRequest,
               std::move_only_function<void(Result<OperatorReport>)> done) override {
    orders_.add(std::move(done));
  }
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) override {
    orders_.add(std::move(done));
  }
  void back_up(std::move_only_function<void(Result<Backup>)> done) override {
    orders_.add([done = std::move(done)]() mutable { done(Backup{}); });
  }
  void reload(std::string, std::move_only_function<void(Result<std::string>)> done) override {
    orders_.add([done = std::move(done)]() mutable { done(std::string("{}")); });
  }
  void audit(AuditRequest, std::move_only_function<void(Result<AuditPage>)> done) override {
    orders_.add([done = std::move(done)]() mutable { done(AuditPage{}); });
  }
  void plan(std::move_only_function<void(Result<RosterPlanPtr>)> done) override {
    orders_.add([done = std::move(done)]() mutable {
      auto written = std::make_shared<RosterPlan>();
      written->json = "{}";
      done(std::move(written));
    });
  }

 private:
  OrderBook& orders_;
};

class Tokens : public FakeTokenService {
 public:
  Tokens(FakeClock& clock, OrderBook& orders) : FakeTokenService(clock), orders_(orders) {}

  void operate(const OperatorRequest&,
               std::move_only_function<void(Result<OperatorReport>)> done) override {
    orders_.add(std::move(done));
  }
  void raise_handle(MemberId, std::string,
                    std::move_only_function<void(Result<void>)> done) override {
    orders_.add([done = std::move(done)]() mutable { done({}); });
  }

 private:
  OrderBook& orders_;
};

class Conversation : private SessionHost {
 public:
  Conversation();
  ~Conversation() override { ::close(fd_); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void send(std::string_view bytes);
  void finish();
  std::string take_sent() { return std::move(sent_); }

 private:
  void session_closed(Session& session) override {
    ROTA_CHECK(&session == session_.get() && !closed_);
    closed_ = true;
  }
  void session_deadline(BootTime) override {}
  void session_turn(Session& session) noexcept override {
    boost::asio::post(
        loop_, [this, self = session.shared_from_this()] { self->on_turn(clock_.now().boot); });
  }
  void session_look(Session& session) override {
    boost::asio::post(loop_, [self = session.shared_from_this()] { self->look_again(); });
  }
  bool session_known(Session&, const PeerIdentity&) override { return true; }
  void session_refused(Session&, DoorRefusal) override {}
  void session_erred(ErrorCode) override {}

  void settle();
  bool receive();
  bool finish_one();

  boost::asio::io_context loop_{1};
  FakeClock clock_;
  OrderBook orders_;
  Tokens tokens_{clock_, orders_};
  Admin admin_{orders_};
  FakeHealthService health_;
  AccessPolicy policy_{0};
  CircleLogins logins_{clock_, Secret(std::string(kHandleKeyBytes, 'k'))};
  Frontend frontend_ = Frontend::admin_socket(tokens_, policy_, health_, admin_, &logins_);
  SessionTimes times_;
  SocketCloser closer_;
  std::shared_ptr<Session> session_;
  int fd_ = -1;  // the client's end
  std::uint64_t waits_ended_ = 0;
  bool closed_ = false;
  std::string sent_;
};

Conversation::Conversation() {
  tokens_.publish(1, "one", std::chrono::hours{1});
  tokens_.publish(9, "stale", Duration{0});
  std::array<int, 2> ends{};
  ROTA_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) ==
             0);
  fd_ = ends[1];
  SessionHost& host = *this;
  session_ = std::make_shared<Session>(std::make_unique<ClientSocket>(ends[0], false, closer_),
                                       PeerIdentity{}, frontend_, clock_, times_, host);
  ROTA_CHECK(session_->start(loop_));
  settle();
}

void Conversation::send(std::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    settle();
    // It takes no more until something that waits has ended.
    if (count < 0 && !closed_ && !finish_one()) break;
  }
  ROTA_CHECK(bytes.empty() || closed_);
}

void Conversation::finish() {
  ::shutdown(fd_, SHUT_WR);
  settle();
  while (!closed_ && finish_one()) {
  }
  if (!closed_ && sent_.find(kIsStream) != std::string::npos) {  // which has no end of its own
    session_->drain();
    settle();
  }
  ROTA_CHECK(closed_);
  while (receive()) {
  }
}

// Runs the loop until nothing moves any more; what never comes to rest is a busy loop.
void Conversation::settle() {
  for (int turn = 0;; ++turn) {
    ROTA_CHECK(turn < kTurnsMax);
    const bool moved = loop_.poll() != 0;
    loop_.restart();
    if (!receive() && !moved) return;
  }
}

bool Conversation::receive() {
  std::array<char, 4 * 1024> bytes;  // larger ones cost AddressSanitizer more than the call
  const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  sent_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

bool Conversation::finish_one() {
  if (tokens_.waiting() > 0) {
    const bool serve = ++waits_ended_ % 2 == 0;
    tokens_.finish(waits_ended_, {.result = serve ? WaitResult::kServe : WaitResult::kUnavailable,
                                  .retry_after = {}});
  } else if (!orders_.finish_one()) {
    return false;
  }
  settle();
  return true;
}

std::size_t length_in(std::string_view head) {
  if (head.starts_with("HTTP/1.1 204 ")) return 0;
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const auto at = head.find(kName);
  ROTA_CHECK(at != std::string_view::npos && head.find(kName, at + 1) == std::string_view::npos);
  const std::string_view digits = head.substr(at + kName.size());
  std::size_t length = 0;
  ROTA_CHECK(std::from_chars(digits.data(), digits.data() + digits.size(), length).ec ==
             std::errc{});
  return length;
}

void check_body(std::string_view head, std::string_view body) {
  if (head.contains("Content-Type: text/plain") || head.starts_with("HTTP/1.1 204 ")) return;
  boost::system::error_code error;
  boost::json::parse(boost::json::string_view(body.data(), body.size()), error);
  ROTA_CHECK(!error);
}

}  // namespace

std::string converse(const std::vector<std::string_view>& pieces) {
  Conversation conversation;
  for (const std::string_view piece : pieces) conversation.send(piece);
  conversation.finish();
  // Whether a client was given leave to send a body depends on how its bytes were cut.
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  std::string sent = conversation.take_sent();
  for (auto at = sent.find(kContinue); at != std::string::npos; at = sent.find(kContinue, at)) {
    sent.erase(at, kContinue.size());
  }
  return sent;
}

std::vector<SentReply> replies_in(std::string_view sent, const std::vector<bool>& head_only) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  std::vector<SentReply> replies;
  while (!sent.empty()) {
    const auto end = sent.find("\r\n\r\n");
    ROTA_CHECK(end != std::string_view::npos && sent.starts_with(kStart));
    const std::string_view head = sent.substr(0, end + 2);
    const bool is_stream = head.contains(kIsStream);
    const std::size_t said = is_stream ? sent.size() - end - 4 : length_in(head);
    const bool has_body = replies.size() >= head_only.size() || !head_only[replies.size()];
    const std::size_t length = has_body ? said : 0;
    ROTA_CHECK(sent.size() >= end + 4 + length);
    SentReply reply{.status = 0,
                    .close = head.contains("\r\nConnection: close\r\n"),
                    .body = sent.substr(end + 4, length)};
    std::from_chars(head.data() + kStart.size(), head.data() + head.size(), reply.status);
    if (!is_stream && has_body) check_body(head, reply.body);
    replies.push_back(reply);
    sent.remove_prefix(end + 4 + length);
  }
  return replies;
}

}  // namespace rota::fuzz
