#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_buffer.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/commands.h"
#include "model/audit.h"
#include "report/health.h"
#include "store/token_store.h"
#include "table/table.h"

namespace rota {

// The audit trail on its way to the store. A note costs its caller a look-up and is on disk about a
// second later, in a transaction of its own on the store thread. So neither a fetch nor a batch of
// the engine waits for it. While the store takes nothing, notes gather here in bounded memory. No
// callback comes once this object is destroyed. Loop thread only.
class AuditTrail {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    const Clock& clock;
    TokenStore& store;                       // used only on the store thread
    boost::asio::thread_pool& store_thread;  // its owner joins it before this object is destroyed
    std::function<void(const Notice&)> tell;
    AuditBounds bounds;
    // Circle's time, if a reply has confirmed it. Without it no entry is removed by its age.
    std::function<std::optional<WallTime>()> confirmed_time = [] { return std::nullopt; };
  };
  explicit AuditTrail(Parts parts);
  ~AuditTrail();
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  // Notes that the caller was given the token of this row. `row` must have a key.
  void note_fetch(const Published& row, const AuditCaller& caller);
  // Notes any other event. `member`: the key of key.member, or empty.
  void note(const AuditKey& key, std::string member);

  // Reads a page once everything that was noted before this call is written, or as soon as the
  // store refuses a write. `done` comes on the loop thread, never from inside this call. kBusy if
  // too many reads wait for the disk.
  void read(AuditQuery query, std::move_only_function<void(Result<AuditPage>)> done);

  // For the end: from now on only finish() writes. `done` comes once no write is under way, from
  // inside this call or later on the loop thread. After it, finish() has all that is not on disk,
  // and writes all of it or none.
  void settle(std::move_only_function<void()> done);
  // Hands everything to the store thread. Call it once, at the end, before that thread is joined.
  void finish();

  // Counts for metrics and status.
  AuditHealth health() const;

 private:
  struct Read {
    AuditQuery query;
    std::move_only_function<void(Result<AuditPage>)> done;
    std::uint64_t behind = 0;  // the number of the batch for which it waits
  };
  // What the store thread has.
  enum class Batch {
    kNone,
    kOut,      // one batch: the next one waits for it
    kLastOut,  // one batch, and it gets no more but that of finish()
    kOver,     // none, and it gets no more but that of finish()
  };

  bool is_writing() const;
  void wait();
  void start(Read read);
  void hand_over();
  std::size_t fresh() const { return fetches_.fresh() + events_.fresh(); }
  void written(std::vector<AuditNote> notes, const Result<void>& result);
  std::optional<WallTime> time_to_prune();
  void put_back(std::vector<AuditNote> notes);

  // Constant after construction.
  const Parts parts_;

  // Loop thread only.
  AuditBuffer fetches_;
  AuditBuffer events_;  // all else, apart so that no flood of fetches can fold these
  boost::asio::steady_timer timer_;
  std::optional<BootTime> due_;  // when timer_ fires
  Batch batch_out_ = Batch::kNone;
  std::uint64_t batch_ = 0;  // how many batches it was given
  std::size_t rows_writing_ = 0;
  std::vector<Read> reads_;  // waiting until what is new is written
  std::move_only_function<void()> settled_;
  bool failing_ = false;
  std::uint64_t entries_ = 0;
  std::array<std::uint64_t, kAuditEvents.size() + 1> events_noted_{};  // indexed by AuditEvent
  std::optional<BootTime> pruned_at_;  // when entries were last removed by age
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rota
