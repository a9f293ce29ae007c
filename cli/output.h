#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rota::cli {

// Where a command writes: results to out, one line about a failure to err. Tests gather both.
class Output {
 public:
  virtual ~Output() = default;
  // kIo when not all of it could be written: a full disk, or a reader that has gone.
  virtual Result<void> out(std::string_view text) = 0;
  // `line` without its end. Nothing can be done about a failure here.
  virtual void err(std::string_view line) = 0;
};

// The process's own streams, past stdio, whose buffers would keep a token.
class StandardOutput : public Output {
 public:
  Result<void> out(std::string_view text) override;
  void err(std::string_view line) override;
};

// Text of others, made safe for a terminal: control characters, C1 ones included, become \xNN.
// UTF-8 passes.
std::string printable(std::string_view text);

}  // namespace rota::cli
