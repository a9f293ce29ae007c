#pragma once

#include <expected>
#include <string>
#include <utility>

namespace rota {

// What kind of failure an Error is: callers switch on this, and only people read the message.
enum class ErrorKind {
  kConfig,   // configuration, roster or credential is missing or wrong: exit code 78
  kBusy,     // somebody else holds the resource (database lock, live socket)
  kIo,       // the operating system refused; worth retrying
  kFull,     // no space left; worth retrying once there is some
  kCorrupt,  // stored data is not what Rota wrote, or of a newer schema
  kInvalid,  // a value handed in cannot be used
  kBug,      // a state that should not be reachable
};

// An expected failure. `message` is one line for people, names the place, and holds no secret.
struct Error {
  ErrorKind kind = ErrorKind::kBug;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace rota

#define ROTA_CONCAT_INNER(a, b) a##b
#define ROTA_CONCAT(a, b) ROTA_CONCAT_INNER(a, b)

// Returns the error of `expr` from the enclosing function, if it has one.
#define ROTA_TRY(expr)                                            \
  do {                                                            \
    auto rota_try_result = (expr);                                \
    if (!rota_try_result) {                                       \
      return std::unexpected(std::move(rota_try_result).error()); \
    }                                                             \
  } while (false)

// Declares or assigns `lhs` from the value of `expr`, or returns its error.
#define ROTA_ASSIGN(lhs, expr) ROTA_ASSIGN_INNER(ROTA_CONCAT(rota_result_, __LINE__), lhs, expr)
#define ROTA_ASSIGN_INNER(tmp, lhs, expr)           \
  auto tmp = (expr);                                \
  if (!tmp) {                                       \
    return std::unexpected(std::move(tmp).error()); \
  }                                                 \
  lhs = *std::move(tmp)
