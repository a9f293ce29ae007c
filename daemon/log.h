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

// The log; only the daemon has one. It goes to the journal, with the fields EVENT= and MEMBER=, if
// stderr leads there, otherwise to stderr as text. A thread of its own writes, so nobody waits for
// a log that is not read. If kLinesMax lines wait, further ones are dropped and counted, and the
// count is logged once there is room. Loop thread only.
class Log {
 public:
  static constexpr std::size_t kLinesMax = 4'096;  // that wait to be written

  // No line repeats a value of `hidden` (P10).
  explicit Log(LogLevel level, HiddenValues hidden = {});
  ~Log();  // waits up to a second for the lines that are not written yet

  void set_level(LogLevel level);
  void tell(const Notice& given);
  void say(Severity severity, std::string_view event, std::string_view text);
  // Logs how many lines were dropped since this was last logged, if any were. To be called every
  // few seconds. False: there is no room for that line yet.
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
