#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rota::cli {

// Where a command writes: results to out, one line about a failure to err. Tests gather both.
class Output {
 public:
  virtual ~Output() = default;
  // kIo when not all of it could be written, such as on a full disk.
  virtual Result<void> out(std::string_view text) = 0;
  // For a command that waits long: ends the process as out() does if nobody reads any more.
  virtual void look_for_reader() {}
  // `line` without its end; the process's own makes it visible(). Nothing can be done about a
  // failure here.
  virtual void err(std::string_view line) = 0;
};

// The process's own streams, past stdio, whose buffers would keep a token. One that takes nothing
// now is waited for. When the reader has gone the process ends by SIGPIPE, without a word, as other
// programs of a pipeline do.
class StandardOutput : public Output {
 public:
  Result<void> out(std::string_view text) override;
  void look_for_reader() override;
  void err(std::string_view line) override;
};

// Until there is something to read, or an error.
void wait_for_input(int descriptor);

// Opens each of the descriptors 0 to 2 that is closed, so that no socket or file becomes one of
// them. Reading or writing one of these fails. For the beginning of main().
void open_standard_descriptors();

}  // namespace rota::cli
