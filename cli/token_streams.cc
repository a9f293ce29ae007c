#include "cli/token_streams.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "circle/reply_fields.h"
#include "cli/event_reader.h"
#include "cli/fields.h"
#include "cli/gathered.h"
#include "cli/target.h"
#include "cli/transport.h"

namespace rota::cli {
namespace {

constexpr int kOk = 200;
constexpr long kConnectMillisMax = 5'000;
constexpr long kFetchMillisMax = 30'000;  // the daemon waits ten seconds for a refresh
constexpr long kSilenceSecondsMax = 75;   // the daemon says something every 30
constexpr std::size_t kReplyMax = std::size_t{64} << 10U;
// Asking a socket of this machine costs next to nothing, and while we do not listen, the file of
// somebody who left stays.
constexpr Duration kRetryFirst{50};
constexpr Duration kRetryMax{500};
// After an answer that is not going to change in a moment.
constexpr Duration kRefusedRetry{5'000};

// The codes that mean that we are not to have a token of the member. Any other failure may be that
// of something between the daemon and us, and changes nothing.
constexpr auto kGoneCodes =
    std::to_array<std::string_view>({"forbidden", "member_unknown", "member_retired",
                                     "member_blocked", "member_mismatched", "token_unavailable"});

// One request over the Unix socket, again and again.
class Transfer {
 public:
  Transfer() : easy_(curl_easy_init()) { ROTA_CHECK(easy_ != nullptr); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_easy_cleanup(easy_); }

  bool runs() const { return runs_; }
  CURL* easy() const { return easy_; }

  using Write = std::size_t (*)(char*, std::size_t, std::size_t, void*);
  void start(CURLM* multi, const std::string& socket, const std::string& target, Write body,
             Write head, void* owner) {
    curl_easy_reset(easy_);
    set(CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    set(CURLOPT_PROXY, "");
    set(CURLOPT_URL, ("http://localhost" + target).c_str());
    set(CURLOPT_PROTOCOLS_STR, "http");
    set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMillisMax);
    set(CURLOPT_WRITEFUNCTION, body);
    set(CURLOPT_WRITEDATA, owner);
    set(CURLOPT_HEADERFUNCTION, head);
    set(CURLOPT_HEADERDATA, owner);
    set(CURLOPT_PRIVATE, owner);
    ROTA_CHECK(curl_multi_add_handle(multi, easy_) == CURLM_OK);
    runs_ = true;
  }
  template <class Value>
  void set(CURLoption option, Value value) {
    ROTA_CHECK(curl_easy_setopt(easy_, option, value) == CURLE_OK);
  }
  void end(CURLM* multi) {
    if (runs_) curl_multi_remove_handle(multi, easy_);
    runs_ = false;
  }
  int status() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }
  std::string why(CURLcode code) const {
    long system_error = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
    if (code == CURLE_COULDNT_CONNECT && system_error != 0) {
      return std::strerror(static_cast<int>(system_error));
    }
    return curl_easy_strerror(code);
  }

 private:
  CURL* const easy_;
  bool runs_ = false;
};

// "Rota-Expires-In: 42" in whole seconds.
std::optional<Duration> expires_in(std::string_view line) {
  constexpr std::string_view kName = "rota-expires-in:";
  if (line.size() < kName.size() ||
      !std::ranges::equal(line.substr(0, kName.size()), kName, {},
                          [](unsigned char c) { return std::tolower(c); })) {
    return std::nullopt;
  }
  line = trim(line.substr(kName.size()));
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), seconds);
  if (error != std::errc{}) return std::nullopt;
  return std::chrono::seconds{seconds};
}

struct Refusal {
  std::string code;
  std::string message;
};
Refusal refusal_of(std::string_view body) {
  boost::system::error_code error;
  const boost::json::value reply = boost::json::parse(body, error);
  if (error || !reply.is_object()) return {.code = "", .message = "the answer is not rotad's"};
  return {.code = text_at(reply.get_object(), "code"),
          .message = text_at(reply.get_object(), "message")};
}

}  // namespace

BootTime boot_now() {
  timespec time{};
  ROTA_CHECK(::clock_gettime(CLOCK_BOOTTIME, &time) == 0);
  return BootTime{std::chrono::seconds{time.tv_sec} +
                  std::chrono::floor<Duration>(std::chrono::nanoseconds{time.tv_nsec})};
}

class TokenStreams::Multi {
 public:
  explicit Multi(CURLM* multi) : multi_(multi) {}
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi() { curl_multi_cleanup(multi_); }
  CURLM* get() const { return multi_; }

 private:
  CURLM* const multi_;
};

// One member: its stream, and the fetch that follows each event.
class TokenStreams::Member {
 public:
  using Tell = std::function<void(const Heard&)>;
  Member(CURLM* multi, std::string socket, const MemberKey& key, Tell tell)
      : multi_(multi),
        socket_(std::move(socket)),
        key_(key),
        tell_(std::move(tell)),
        watch_due_(boot_now()) {}
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member() {
    watch_.end(multi_);
    fetch_.end(multi_);
  }

  void start_due(BootTime now) {
    if (!watch_.runs() && watch_due_ <= now) start_watch();
    if (!fetch_.runs() && fetch_due_ && *fetch_due_ <= now) start_fetch();
  }
  std::optional<BootTime> next_due() const {
    std::optional<BootTime> due;
    if (!watch_.runs()) due = watch_due_;
    if (!fetch_.runs() && fetch_due_) due = due ? std::min(*due, *fetch_due_) : *fetch_due_;
    return due;
  }
  void on_end(CURL* easy, CURLcode code, BootTime now) {
    if (easy == watch_.easy()) {
      on_watch_end(code, now);
    } else {
      on_fetch_end(code, now);
    }
  }

 private:
  static Member& of(void* owner) { return *static_cast<Member*>(owner); }

  void start_watch() {
    refused_.emplace(kReplyMax);
    events_.emplace([this](std::string_view event, std::string_view data) -> Result<void> {
      on_event(event, data);
      return {};
    });
    opened_ = false;
    watch_.start(multi_, socket_, watch_target({key_}), &take_events, &take_watch_head, this);
    watch_.set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    watch_.set(CURLOPT_LOW_SPEED_TIME, kSilenceSecondsMax);
  }

  void start_fetch() {
    fetch_due_.reset();
    stale_ = false;
    left_.reset();
    body_.emplace(kReplyMax);
    fetch_.start(multi_, socket_, token_target(key_, {}), &take_body, &take_fetch_head, this);
    fetch_.set(CURLOPT_TIMEOUT_MS, kFetchMillisMax);
  }

  // What a reply to an earlier fetch says may be older than this event.
  void ask_again() {
    stale_ = true;
    fetch_due_ = boot_now();
  }

  void on_event(std::string_view event, std::string_view data) {
    if (event == "retired" || event == "signed_out") {
      const Refusal refusal = refusal_of(data);
      tell_({.what = Heard::What::kGone, .code = refusal.code, .why = refusal.message});
    }
    ask_again();
  }

  static std::size_t take_watch_head(char* line, std::size_t size, std::size_t count, void* owner) {
    Member& member = of(owner);
    // The empty line: from now on no change is missed, so ask how it is.
    if (std::string_view(line, size * count) == "\r\n" && member.watch_.status() == kOk) {
      member.opened_ = true;
      member.watch_failures_ = 0;
      member.ask_again();
    }
    return size * count;
  }

  static std::size_t take_events(char* bytes, std::size_t size, std::size_t count, void* owner) {
    Member& member = of(owner);
    const std::string_view piece(bytes, size * count);
    const bool taken =
        member.opened_ ? member.events_->feed(piece).has_value() : member.refused_->add(piece);
    return taken ? piece.size() : 0;
  }

  static std::size_t take_fetch_head(char* line, std::size_t size, std::size_t count, void* owner) {
    if (const auto left = expires_in({line, size * count})) of(owner).left_ = left;
    return size * count;
  }

  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* owner) {
    return of(owner).body_->add({bytes, size * count}) ? size * count : 0;
  }

  void on_watch_end(CURLcode code, BootTime now) {
    const int status = watch_.status();
    const std::string why = watch_.why(code);
    watch_.end(multi_);
    if (status != 0 && status != kOk) {
      on_refused(status, refused_->text());
      watch_due_ = now + kRefusedRetry;
      return;
    }
    watch_due_ = now + retry(watch_failures_++);
    if (opened_) return;  // the daemon ended it, as it does when it stops
    tell_({.what = Heard::What::kSilence, .why = why});
  }

  void on_fetch_end(CURLcode code, BootTime now) {
    const int status = fetch_.status();
    const std::string why = fetch_.why(code);
    fetch_.end(multi_);
    if (stale_) {
      fetch_due_ = now;
    } else if (code != CURLE_OK) {
      fetch_due_ = now + retry(fetch_failures_++);
      tell_({.what = Heard::What::kSilence, .why = why});
    } else if (status == kOk) {
      on_token(now);
    } else {
      fetch_due_ = now + kRefusedRetry;
      on_refused(status, body_->text());
    }
    body_.reset();
  }

  void on_token(BootTime now) {
    const auto fields = read_reply_fields(body_->text());
    if (!fields || fields->access_token == nullptr || !fields->access_token_expires_at ||
        !fields->community_member_id || !left_) {
      fetch_due_ = now + kRefusedRetry;
      tell_({.what = Heard::What::kSilence, .why = "the answer is not rotad's"});
      return;
    }
    fetch_failures_ = 0;
    tell_({.what = Heard::What::kToken,
           .token = {.access_token = fields->access_token,
                     .expires_at = *fields->access_token_expires_at,
                     .community_member_id = *fields->community_member_id},
           .left = *left_});
  }

  void on_refused(int status, std::string_view body) {
    const Refusal refusal = refusal_of(body);
    const bool gone = std::ranges::find(kGoneCodes, refusal.code) != kGoneCodes.end();
    tell_({.what = gone ? Heard::What::kGone : Heard::What::kSilence,
           .code = refusal.code,
           .why = gone ? refusal.message : fmt::format("{}: {}", status, refusal.message)});
  }

  static Duration retry(int failures) {
    constexpr int kStepsMax = 6;
    return std::min(kRetryFirst * (1 << std::min(failures, kStepsMax)), kRetryMax);
  }

  CURLM* const multi_;
  const std::string socket_;
  const MemberKey key_;
  const Tell tell_;

  Transfer watch_;
  BootTime watch_due_;
  bool opened_ = false;  // the stream has begun
  int watch_failures_ = 0;
  std::optional<EventReader> events_;
  std::optional<Gathered> refused_;  // the body of a reply that is no stream

  Transfer fetch_;
  std::optional<BootTime> fetch_due_;
  bool stale_ = false;  // an event has come since the fetch was sent
  int fetch_failures_ = 0;
  std::optional<Gathered> body_;
  std::optional<Duration> left_;
};

Result<std::unique_ptr<TokenStreams>> TokenStreams::create(std::string socket,
                                                           const std::vector<MemberKey>& members,
                                                           Take take) {
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return fail(ErrorKind::kBug, "libcurl cannot start");
  return std::unique_ptr<TokenStreams>(
      new TokenStreams(std::make_unique<Multi>(multi), socket, members, std::move(take)));
}

TokenStreams::TokenStreams(std::unique_ptr<Multi> multi, const std::string& socket,
                           const std::vector<MemberKey>& members, Take take)
    : take_(std::move(take)), multi_(std::move(multi)) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    members_.push_back(
        std::make_unique<Member>(multi_->get(), socket, members[i], [this, i](const Heard& heard) {
          news_ = true;
          take_(i, heard);
        }));
  }
}

TokenStreams::~TokenStreams() { members_.clear(); }

void TokenStreams::poll(int other, Duration wait) {
  const BootTime begin = boot_now();
  news_ = false;
  for (const auto& member : members_) member->start_due(begin);
  perform();
  for (const auto& member : members_) {
    if (const auto due = member->next_due()) wait = std::min(wait, *due - begin);
  }
  if (news_) wait = Duration{0};
  curl_waitfd also{.fd = other, .events = CURL_WAIT_POLLIN, .revents = 0};
  curl_multi_poll(multi_->get(), &also, 1, static_cast<int>(std::max(wait, Duration{0}).count()),
                  nullptr);
  perform();
}

void TokenStreams::perform() {
  int running = 0;
  curl_multi_perform(multi_->get(), &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_->get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* owner = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    reinterpret_cast<Member*>(owner)->on_end(easy, code, boot_now());
  }
}

}  // namespace rota::cli
