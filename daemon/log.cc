#include "daemon/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/check.h"

namespace rota {
namespace {

// systemd sets JOURNAL_STREAM to the device and inode of the stderr that it gave: only when ours is
// still that one do we speak to the journal (systemd.exec(5)).
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat here{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &here) != 0) return false;
  return fmt::format("{}:{}", here.st_dev, here.st_ino) == stream;
}

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return spdlog::level::debug;
    case Severity::kInfo:
      return spdlog::level::info;
    case Severity::kWarning:
      return spdlog::level::warn;
    case Severity::kError:
      return spdlog::level::err;
  }
  ROTA_CHECK(false);
}

int priority_of(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return LOG_DEBUG;
    case Severity::kInfo:
      return LOG_INFO;
    case Severity::kWarning:
      return LOG_WARNING;
    case Severity::kError:
      return LOG_ERR;
  }
  ROTA_CHECK(false);
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kCritical:
      return spdlog::level::critical;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  ROTA_CHECK(false);
}

}  // namespace

Log::Log(LogLevel level) : to_journal_(stderr_is_the_journal()), level_(level) {
  stderr_ = std::make_shared<spdlog::logger>(
      "rotad", std::make_shared<spdlog::sinks::stderr_color_sink_st>());
  stderr_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%-7l%$ %v");
  set_level(level);
}

Log::~Log() = default;

void Log::set_level(LogLevel level) {
  level_ = level;
  stderr_->set_level(level_of(level));
}

void Log::tell(const Notice& notice) {
  const auto level = level_of(notice.severity);
  if (level < level_of(level_)) return;
  if (to_journal_) {
    const std::string text =
        notice.member.empty() ? fmt::format("{}: {}", notice.event, notice.text)
                              : fmt::format("{} {}: {}", notice.event, notice.member, notice.text);
    // A line that the journal does not take is lost: there is nowhere else to say so.
    static_cast<void>(sd_journal_send(
        "MESSAGE=%s", text.c_str(), "PRIORITY=%d", priority_of(notice.severity), "EVENT=%s",
        notice.event.c_str(), "MEMBER=%s", notice.member.c_str(), nullptr));
    return;
  }
  stderr_->log(level, "{:<13} {}{}{}", notice.event, notice.member,
               notice.member.empty() ? "" : ": ", notice.text);
}

void Log::say(Severity severity, std::string_view event, std::string_view text) {
  tell(
      {.severity = severity, .event = std::string(event), .member = {}, .text = std::string(text)});
}

}  // namespace rota
