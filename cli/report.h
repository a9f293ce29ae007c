#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "cli/exit_code.h"

// The daemon's JSON as people read it. Every text ends its last line; what others wrote (names,
// Circle's words) comes out visible().
namespace rota::cli {

// The access token of a 200 reply to GET /v1/token; no copy of it stays behind. kCorrupt: there is
// none in it.
Result<Secret> token_of(const Secret& body);

// Any object as aligned lines, one a value, in the reply's own order; nested keys are joined by
// dots.
std::string describe(const boost::json::object& object);

// The same of a status, behind one line for each reason why the daemon is not ready.
std::string describe_status(const boost::json::object& status);

// The lines of `rota members`: a head, and a line a member.
std::string members_head();
std::string members_line(const boost::json::value& member);

// The lines of `rota audit`.
std::string audit_head();
std::string audit_line(const boost::json::value& entry);

// What a plan changes, and by which command it is let through when it is held.
std::string describe_plan(const boost::json::object& plan);
// The same for a reload's plan, and what the reload did not take in.
std::string describe_reload(const boost::json::object& plan);

// The end of a rotate, revoke or reinstate.
struct OperationText {
  std::string text;     // one line a token, then how the member stands
  std::string problem;  // why it is not complete; empty when it is
};
// With `must_be_dead` complete means that no token is alive and no call in doubt. What is missing
// from the report counts against it.
OperationText describe_operation(const boost::json::object& report, bool must_be_dead);

// A reply that says no, whatever its shape.
struct Refusal {
  std::string message;
  ExitCode exit = ExitCode::kFailed;
};
Refusal describe_refusal(int status, const boost::json::value& body);

}  // namespace rota::cli
