#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rota::cli {

// Where a command writes: results with out(), one line about a failure with err(). Tests collect
// both.
class Output {
 public:
  virtual ~Output() = default;
  // kIo: not all of it could be written, for example because the disk is full.
  virtual Result<void> out(std::string_view text) = 0;
  // How many columns the terminal has that shows out(); none: it goes elsewhere.
  virtual std::optional<std::size_t> columns() const { return std::nullopt; }
  // Whether what out() shows may have colours: on a terminal, unless NO_COLOR is set.
  virtual bool has_colours() const { return false; }
  // A call begins that may take long; it ends with end_work(). In between working() is called about
  // once a second. Returns a descriptor that can be read once somebody has pressed Ctrl-C, so that
  // working() can be called at once; -1: none. It stays the output's own.
  virtual int begin_work() { return -1; }
  // Shows `what` it waits for in the last line of the terminal of err(), after a second. If
  // somebody has pressed Ctrl-C since begin_work(): says `goes_on` and ends the process, as Ctrl-C
  // does.
  virtual void working(std::string_view what, std::string_view goes_on) {
    static_cast<void>(what);
    static_cast<void>(goes_on);
  }
  virtual void end_work() {}
  // For work of this process that may take long: the same line, at once. end_work() takes it away.
  virtual void show_progress(std::string_view what) { static_cast<void>(what); }
  // For a command that waits for long: ends the process, as out() does, if the reader is gone.
  virtual void look_for_reader() {}
  // `line` without its end. Whatever it has, StandardOutput makes it visible(). If it cannot be
  // written, nothing can be done about it.
  virtual void err(std::string_view line) = 0;
};

// The standard streams of the process, without stdio, whose buffers would keep a token. Blocks
// while a stream takes nothing. If the reader is gone, SIGPIPE ends the process silently, as it
// ends other programs of a pipeline.
class StandardOutput : public Output {
 public:
  Result<void> out(std::string_view text) override;
  std::optional<std::size_t> columns() const override;
  bool has_colours() const override;
  int begin_work() override;
  void working(std::string_view what, std::string_view goes_on) override;
  void end_work() override;
  void show_progress(std::string_view what) override;
  void look_for_reader() override;
  void err(std::string_view line) override;

 private:
  void clear_progress();

  int interrupts_ = -1;  // a signalfd of SIGINT during a call that may take long
  std::chrono::steady_clock::time_point work_began_{};
  bool shows_progress_ = false;
};

// Blocks until there is something to read, or an error.
void wait_for_input(int descriptor);

// Opens each of the descriptors 0 to 2 that is closed, so that no socket or file gets one of these
// numbers. Reading or writing such a descriptor fails. To be called first in main().
void open_standard_descriptors();

}  // namespace rota::cli
