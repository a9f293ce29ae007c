#include "daemon/log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

// systemd sets JOURNAL_STREAM to the device and inode of the stderr that it passed. Only if ours is
// still that one does the log go to the journal (systemd.exec(5)).
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
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  ROTA_CHECK(false);
}

// Without stdio: a thread that writes to a pipe nobody reads would hold the lock of stderr, and
// exit() waits for that lock.
class StandardError final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    for (std::size_t at = 0; at < line.size();) {
      const ssize_t wrote = ::write(STDERR_FILENO, line.data() + at, line.size() - at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return;  // there is nowhere else to say so
      at += static_cast<std::size_t>(wrote);
    }
  }
  void flush_() override {}
};

std::shared_ptr<spdlog::logger> logger_to_stderr() {
  auto logger = std::make_shared<spdlog::logger>("rotad", std::make_shared<StandardError>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %-7l %v");
  logger->set_level(spdlog::level::trace);  // what is not to be logged never gets here
  return logger;
}

void write_to_journal(const Notice& notice) {
  const std::string text = notice.member.empty()
                               ? fmt::format("{}: {}", notice.event, notice.text)
                               : fmt::format("{} {}: {}", notice.event, notice.member, notice.text);
  // If the journal does not take the line, it is lost: there is nowhere else to say so.
  static_cast<void>(sd_journal_send("MESSAGE=%s", text.c_str(), "PRIORITY=%d",
                                    priority_of(notice.severity), "EVENT=%s", notice.event.c_str(),
                                    "MEMBER=%s", notice.member.c_str(), nullptr));
}

}  // namespace

Log::Log(LogLevel level, HiddenValues hidden)
    : to_journal_(stderr_is_the_journal()),
      hidden_(std::move(hidden)),
      level_(level),
      stderr_(logger_to_stderr()),
      worker_(kLinesMax) {}

Log::~Log() { tell_dropped(); }

void Log::set_level(LogLevel level) { level_ = level; }

void Log::tell(const Notice& given) {
  if (level_of(given.severity) < level_of(level_)) return;
  // Others wrote names, paths and Circle's words: they must not end a line or control a terminal.
  const Notice notice{.severity = given.severity,
                      .event = visible(given.event),
                      .member = visible(given.member),
                      .text = visible(hidden_.hide(given.text))};
  tell_dropped();
  if (!post(notice)) ++dropped_;
}

bool Log::post(const Notice& notice) {
  if (to_journal_) return worker_.post([notice] { write_to_journal(notice); });
  const auto now = spdlog::log_clock::now();
  return worker_.post([notice, now, logger = stderr_] {
    logger->log(now, spdlog::source_loc{}, level_of(notice.severity),
                fmt::format("{:<13} {}{}{}", notice.event, notice.member,
                            notice.member.empty() ? "" : ": ", notice.text));
  });
}

bool Log::tell_dropped() {
  if (dropped_ == dropped_told_) return true;
  const bool posted =
      post({.severity = Severity::kWarning,
            .event = "log",
            .member = {},
            .text = fmt::format("{} lines were dropped because nothing read this log fast enough",
                                dropped_ - dropped_told_)});
  if (posted) dropped_told_ = dropped_;
  return posted;
}

void Log::say(Severity severity, std::string_view event, std::string_view text) {
  tell(
      {.severity = severity, .event = std::string(event), .member = {}, .text = std::string(text)});
}

}  // namespace rota
