#pragma once

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

// The audit trail on its way to the store: a note costs its caller a look-up, and is on disk about
// a second later, in a transaction of its own on the store thread. So neither a fetch nor a batch
// of the engine waits for it, and while the store takes nothing it gathers here, in bounded memory.
// Loop thread only.
class AuditTrail {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    const Clock& clock;
    TokenStore& store;                       // used on the store thread alone
    boost::asio::thread_pool& store_thread;  // joined before this object goes
    std::function<void(const Notice&)> tell;
    AuditBounds bounds;
    // Circle's time, if a reply has confirmed it: this machine's clock alone makes no entry old.
    std::function<std::optional<WallTime>()> confirmed_time = [] { return std::nullopt; };
  };
  explicit AuditTrail(Parts parts);
  ~AuditTrail();
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  // The caller was given the token of this row.
  void note_fetch(const Published& row, const AuditCaller& caller);
  void note(const AuditKey& key, std::string member);

  // What is new up to now is written first. `done` comes on the loop thread, never from inside of
  // this call. kBusy: too many of them wait for the disk.
  void read(AuditQuery query, std::move_only_function<void(Result<AuditPage>)> done);

  // At the end: nothing more is written, but by finish(). `done` comes once no write is under way:
  // from inside of this call, or later on the loop thread.
  // Then finish() writes all that failed together with all that is new, or nothing of it.
  void settle(std::move_only_function<void()> done);
  // Hands everything to the store thread, once, at the end.
  void finish();

  AuditHealth health() const;

 private:
  struct Read {
    AuditQuery query;
    std::move_only_function<void(Result<AuditPage>)> done;
    std::uint64_t behind = 0;  // the number of the batch that it waits for
  };
  void wait();
  void start(Read read);
  void hand_over();
  std::size_t fresh() const { return fetches_.fresh() + events_.fresh(); }
  void written(std::vector<AuditNote> notes, const Result<void>& result);
  std::optional<WallTime> time_to_prune();
  void put_back(std::vector<AuditNote> notes);

  const Parts parts_;
  AuditBuffer fetches_;
  AuditBuffer events_;  // all else: no flood of fetches can fold these
  boost::asio::steady_timer timer_;
  std::optional<BootTime> due_;  // when timer_ fires
  bool writing_ = false;         // the store thread has a batch
  bool settling_ = false;        // it gets no other but the last
  std::uint64_t batch_ = 0;      // how many it was given
  std::size_t rows_writing_ = 0;
  std::vector<Read> reads_;  // that wait for what is new
  std::move_only_function<void()> settled_;
  bool failing_ = false;
  std::uint64_t entries_ = 0;
  std::optional<BootTime> pruned_at_;  // by age
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rota
