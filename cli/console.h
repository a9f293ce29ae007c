#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace rota::cli {

// The person at the terminal. Tests answer from a script.
class Console {
 public:
  virtual ~Console() = default;
  // Whether there is anybody to ask.
  virtual bool is_there() const = 0;
  // Asks, and returns the line that was typed, without its end. Blocks. kInvalid: the person
  // interrupted it. kIo: the terminal failed.
  virtual Result<std::string> ask(std::string_view question) = 0;
  // The same, without showing what is typed.
  virtual Result<Secret> ask_unseen(std::string_view question) = 0;
};

// The controlling terminal (/dev/tty), even if the standard streams are redirected.
class Terminal : public Console {
 public:
  Terminal();
  ~Terminal() override;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool is_there() const override { return fd_ >= 0; }
  Result<std::string> ask(std::string_view question) override;
  Result<Secret> ask_unseen(std::string_view question) override;

 private:
  Result<Secret> read_line();

  int fd_;
};

}  // namespace rota::cli
