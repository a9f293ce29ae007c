#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "cli/exit_code.h"

// Turns the daemon's JSON into text for people. Each text ends with a newline. What others wrote
// (names, Circle's words) is made visible(), so it cannot control a terminal. Pure.
namespace rota::cli {

// The access token in a 200 reply to GET /v1/token. No other copy of it stays in memory. kCorrupt:
// the reply has none.
Result<Secret> token_of(const Secret& body);

// Any object, one aligned line for each value, in the order of the reply. Nested keys are joined by
// dots.
std::string describe(const boost::json::object& object);

// The same for a status, after a line for each reason why the daemon is not ready.
std::string describe_status(const boost::json::object& status);

// The lines of `rota audit`.
std::string audit_head();
std::string audit_line(const boost::json::value& entry);

// The plan of a reload, and what the reload did not bring into force. `columns`: of the terminal;
// none: nothing is cut.
std::string describe_reload(const boost::json::object& plan, std::optional<std::size_t> columns);

// The end of a rotate, revoke or reinstate.
struct OperationText {
  std::string text;     // a line for each token, then one about the member
  std::string problem;  // why it is not complete; empty: it is
};
// With `must_be_dead`, it is complete only if no token is alive and no call is in doubt. If the
// report does not say so, it is not complete.
OperationText describe_operation(const boost::json::object& report, bool must_be_dead);

// The reply to one enrolment, in one line. 202 is a problem: nobody knows yet who it is.
OperationText describe_enrolment(int status, const boost::json::object& reply);
// The end of a sign-out or of an enrolment, in one line.
OperationText describe_deed(const boost::json::object& report, bool must_be_dead);

// A client's removals that are lifted, in one line.
std::string describe_lift(const boost::json::object& reply);

// A backup that was made, in one line.
std::string describe_backup(const boost::json::object& reply);

// A reply other than 200, whether or not its body is rotad's JSON.
struct Refusal {
  std::string message;
  ExitCode exit = ExitCode::kFailed;
};
Refusal describe_refusal(int status, const boost::json::value& body);

}  // namespace rota::cli
