#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "daemon/settings.h"
#include "rotator/messages.h"

namespace spdlog {
class logger;
}

namespace rota {

// The daemon's log, the only one there is: to the journal with its fields (EVENT=, MEMBER=) where
// stderr leads there, to stderr in readable lines otherwise. Loop thread only.
class Log {
 public:
  explicit Log(LogLevel level);
  ~Log();

  void set_level(LogLevel level);
  void tell(const Notice& notice);
  void say(Severity severity, std::string_view event, std::string_view text);

 private:
  const bool to_journal_;
  LogLevel level_;
  std::shared_ptr<spdlog::logger> stderr_;
};

}  // namespace rota
