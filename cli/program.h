#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace rota::cli {

// A program's end: its exit code, and what it wrote to its standard output, cut at
// kProgramOutputMax. That may be a key, so it is a secret.
struct Ran {
  int code = 0;
  Secret output;
};
inline constexpr std::size_t kProgramOutputMax = std::size_t{256} << 10U;

enum class ProgramErrors { kToOurs, kToOutput, kNowhere };  // where its standard error goes

// Runs `command`, looked for in PATH, gives it `input` (no more than a pipe holds, 64 kB) and waits
// for its end. kIo: it cannot be started; a program that a signal ended has code 128 and more.
Result<Ran> run_program(const std::vector<std::string>& command, std::string_view input = {},
                        ProgramErrors errors = ProgramErrors::kToOurs);

}  // namespace rota::cli
