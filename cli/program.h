#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace rota::cli {

// How a program ended: its exit code, and what it wrote to its standard output, at most
// kProgramOutputMax bytes of it. That may be a key, so it is a Secret.
struct Ran {
  int code = 0;
  Secret output;
};
inline constexpr std::size_t kProgramOutputMax = std::size_t{256} << 10U;

enum class ProgramErrors { kToOurs, kToOutput, kNowhere };  // where its standard error goes

// Runs `command` (the program is looked up in PATH), writes `input` to its standard input (at most
// what a pipe holds, 64 kB) and waits for its end, without a timeout. kIo: it cannot be started. If
// a signal ended it, the code is 128 plus the signal.
Result<Ran> run_program(const std::vector<std::string>& command, std::string_view input = {},
                        ProgramErrors errors = ProgramErrors::kToOurs);

}  // namespace rota::cli
