#include "daemon/exit_code.h"

#include "base/check.h"

namespace rota {

ExitCode exit_code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kConfig:
    case ErrorKind::kCorrupt:
    case ErrorKind::kInvalid:
      return ExitCode::kConfig;
    case ErrorKind::kBusy:
    case ErrorKind::kIo:
    case ErrorKind::kFull:
    case ErrorKind::kBug:
      return ExitCode::kFailed;
  }
  ROTA_CHECK(false);
}

}  // namespace rota
