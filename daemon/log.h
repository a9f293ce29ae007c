#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "daemon/worker.h"
#include "engine/commands.h"
#include "settings/hidden_values.h"
#include "settings/settings.h"

namespace spdlog {
class logger;
}

namespace rota {

// The daemon's log, the only one there is: to the journal with its fields (EVENT=, MEMBER=) where
// stderr leads there, to stderr in readable lines otherwise. A thread of its own writes: nobody
// waits for a log that is not read. Lines that find no room meanwhile are dropped, counted, and the
// count is logged once there is room again. Loop thread only.
class Log {
 public:
  static constexpr std::size_t kLinesMax = 4'096;  // that wait to be written

  // No line repeats one of the values that `hidden` has.
  explicit Log(LogLevel level, HiddenValues hidden = {});
  ~Log();  // gives what waits a second to be written

  void set_level(LogLevel level);
  void tell(const Notice& given);
  void say(Severity severity, std::string_view event, std::string_view text);
  // Logs how many lines were dropped since this was last logged, if any. Call it now and then.
  // False: there is no room for that yet.
  bool tell_dropped();
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool post(const Notice& notice);

  const bool to_journal_;
  const HiddenValues hidden_;
  LogLevel level_;
  const std::shared_ptr<spdlog::logger> stderr_;  // the worker's, once there is one
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
  Worker worker_;
};

}  // namespace rota
