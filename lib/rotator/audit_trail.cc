#include "rotator/audit_trail.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

// A watch of all members, or a mass revocation, makes as many rows at once as a large roster has
// members, and none of them should be folded. A row takes about 200 bytes.
constexpr std::size_t kFetchRowsMax = 262'144;
constexpr std::size_t kEventRowsMax = 262'144;
// This many new rows do not wait for the timer. Also the size of a batch, for each buffer.
constexpr std::size_t kHandOverRows = 2'048;
constexpr std::size_t kReadsMax = 64;
constexpr Duration kDelay{1'000};
constexpr Duration kRetryDelay{5'000};
// How often old entries are removed by their age, each time at most kAuditAgeStep of them.
constexpr Duration kPruneEvery = std::chrono::hours{1};

}  // namespace

AuditTrail::AuditTrail(Parts parts)
    : parts_(std::move(parts)),
      fetches_(kFetchRowsMax),
      events_(kEventRowsMax),
      timer_(parts_.executor) {}

AuditTrail::~AuditTrail() { *alive_ = false; }

void AuditTrail::note_fetch(const Published& row, const AuditCaller& caller) {
  ++events_noted_[static_cast<std::size_t>(AuditEvent::kTokenFetched)];
  const std::size_t fresh_before = fetches_.fresh();
  AuditNote& note = fetches_.add({.event = AuditEvent::kTokenFetched,
                                  .member = row.member,
                                  .token = row.fingerprint,
                                  .caller = caller},
                                 parts_.clock.now());
  if (note.member.empty() && note.key.member != MemberId{}) {
    note.member = row.keys.front().text();
  }
  if (fetches_.fresh() >= kHandOverRows && !failing_ && !is_writing()) return hand_over();
  if (!due_ || fetches_.fresh() != fresh_before) wait();
}

void AuditTrail::note(const AuditKey& key, std::string member) {
  ++events_noted_.at(static_cast<std::size_t>(key.event));
  AuditNote& note = events_.add(key, parts_.clock.now());
  if (note.key.member == key.member) note.member = std::move(member);
  if (events_.fresh() >= kHandOverRows && !failing_ && !is_writing()) return hand_over();
  wait();
}

// Sets the timer for the next write, if it is not set for an earlier time.
void AuditTrail::wait() {
  if (fresh() == 0 && fetches_.repeated() + events_.repeated() == 0) return;
  const BootTime now = parts_.clock.now().boot;
  const Duration delay = failing_ ? kRetryDelay : fresh() > 0 ? kDelay : AuditBuffer::kSweepEvery;
  if (due_ && *due_ <= now + delay) return;
  due_ = now + delay;
  timer_.expires_after(delay);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    due_.reset();
    hand_over();
  });
}

// One batch at a time: if the disk hangs, more would be a queue without bounds. And a small one, so
// that no batch of the engine waits long behind what an outage gathered, and a batch that fails
// costs little.
void AuditTrail::hand_over() {
  switch (batch_out_) {
    case Batch::kOut:
    case Batch::kLastOut:
    case Batch::kOver:
      return;
    case Batch::kNone:
      break;
  }
  const Now now = parts_.clock.now();
  std::vector<AuditNote> notes = fetches_.take(now.boot, kHandOverRows);
  std::ranges::move(events_.take(now.boot, kHandOverRows), std::back_inserter(notes));
  sort_notes(notes);
  wait();
  if (notes.empty()) return;
  batch_out_ = Batch::kOut;
  ++batch_;
  rows_writing_ = notes.size();
  boost::asio::post(
      parts_.store_thread, [this, alive = alive_, executor = parts_.executor,
                            old_at = time_to_prune(), notes = std::move(notes)]() mutable {
        Result<void> result = parts_.store.append_audit(notes, parts_.bounds, old_at);
        boost::asio::post(executor, [this, alive = std::move(alive), notes = std::move(notes),
                                     result = std::move(result)]() mutable {
          if (*alive) written(std::move(notes), result);
        });
      });
}

// The earlier of the two clocks, so that an entry is old only if it is old by both: this machine's
// clock may have been set, and Circle's reply may have had any Date. Nullopt: remove nothing by age
// now.
std::optional<WallTime> AuditTrail::time_to_prune() {
  const Now now = parts_.clock.now();
  if (pruned_at_ && now.boot - *pruned_at_ < kPruneEvery) return std::nullopt;
  const std::optional<WallTime> confirmed = parts_.confirmed_time();
  if (!confirmed) return std::nullopt;
  pruned_at_ = now.boot;
  return std::min(*confirmed, now.wall);
}

void AuditTrail::written(std::vector<AuditNote> notes, const Result<void>& result) {
  batch_out_ = batch_out_ == Batch::kLastOut ? Batch::kOver : Batch::kNone;
  rows_writing_ = 0;
  const bool failed_before = std::exchange(failing_, !result);
  if (result) {
    entries_ += notes.size();
  } else {
    put_back(std::move(notes));
  }
  if (failing_ != failed_before) {
    parts_.tell(
        {.severity = failing_ ? Severity::kError : Severity::kInfo,
         .event = "audit",
         .member = {},
         .text = failing_
                     ? fmt::format(
                           "the audit trail cannot be written, and its entries stay in memory: {}",
                           result.error().message)
                     : "the audit trail is written again"});
  }
  if (settled_) std::exchange(settled_, {})();
  // Start the reads that waited for this batch; if it failed, start all, since there is nothing to
  // wait for.
  std::vector<Read> later;
  for (Read& read : std::exchange(reads_, {})) {
    if (read.behind > batch_ && !failing_) {
      later.push_back(std::move(read));
    } else {
      start(std::move(read));
    }
  }
  reads_ = std::move(later);
  if (!failing_ && (fresh() >= kHandOverRows || !reads_.empty())) return hand_over();
  wait();
}

void AuditTrail::settle(std::move_only_function<void()> done) {
  switch (batch_out_) {
    case Batch::kOut:
    case Batch::kLastOut:
      batch_out_ = Batch::kLastOut;
      settled_ = std::move(done);
      return;
    case Batch::kNone:
    case Batch::kOver:
      batch_out_ = Batch::kOver;
      return done();
  }
}

bool AuditTrail::is_writing() const {
  switch (batch_out_) {
    case Batch::kOut:
    case Batch::kLastOut:
      return true;
    case Batch::kNone:
    case Batch::kOver:
      return false;
  }
  ROTA_CHECK(false);
}

void AuditTrail::put_back(std::vector<AuditNote> notes) {
  std::vector<AuditNote> fetches;
  std::vector<AuditNote> events;
  for (AuditNote& note : notes) {
    const bool is_fetch = note.key.event == AuditEvent::kTokenFetched;
    (is_fetch ? fetches : events).push_back(std::move(note));
  }
  fetches_.put_back(std::move(fetches));
  events_.put_back(std::move(events));
}

void AuditTrail::read(AuditQuery query, std::move_only_function<void(Result<AuditPage>)> done) {
  Read read{.query = std::move(query), .done = std::move(done)};
  hand_over();
  if (!is_writing()) return start(std::move(read));
  // The read must see what is being written and what is in the buffers now, but not what comes
  // later.
  const std::size_t rows = std::max(fetches_.fresh(), events_.fresh());
  read.behind = batch_ + (rows + kHandOverRows - 1) / kHandOverRows;
  if (reads_.size() < kReadsMax) return reads_.push_back(std::move(read));
  boost::asio::post(parts_.executor, [alive = alive_, done = std::move(read.done)]() mutable {
    if (*alive)
      done(fail(ErrorKind::kBusy,
                "the database is slow, and too many readers of the audit trail are waiting; try "
                "again later"));
  });
}

void AuditTrail::start(Read read) {
  boost::asio::post(parts_.store_thread, [this, alive = alive_, executor = parts_.executor,
                                          read = std::move(read)]() mutable {
    auto page = parts_.store.read_audit(read.query);
    boost::asio::post(executor, [alive = std::move(alive), done = std::move(read.done),
                                 page = std::move(page)]() mutable {
      if (*alive) done(std::move(page));
    });
  });
}

void AuditTrail::finish() {
  std::vector<AuditNote> notes = fetches_.take_all();
  std::ranges::move(events_.take_all(), std::back_inserter(notes));
  sort_notes(notes);
  if (notes.empty()) return;
  boost::asio::post(parts_.store_thread, [this, notes = std::move(notes)] {
    // If this fails, there is nobody left to tell.
    static_cast<void>(parts_.store.append_audit(notes, parts_.bounds, std::nullopt));
  });
}

AuditHealth AuditTrail::health() const {
  return {.entries = entries_,
          .folded = fetches_.folded() + events_.folded(),
          .waiting = fetches_.fresh() + fetches_.repeated() + events_.fresh() + events_.repeated() +
                     rows_writing_,
          .failing = failing_,
          .events = events_noted_};
}

}  // namespace rota
