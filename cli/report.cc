#include "cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/output.h"
#include "cli/plan_screen.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kTokenBodyBytesMax = std::size_t{64} << 10U;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// A value on one line. Null is "-"; the items of a list are separated by commas.
std::string one_line(const json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (value.is_string()) return visible(view(value.get_string()));
  if (!value.is_array()) return visible(json::serialize(value));
  std::string line;
  for (const json::value& element : value.get_array()) {
    line += fmt::format("{}{}", line.empty() ? "" : ", ", one_line(element));
  }
  return line.empty() ? "-" : line;
}

std::string field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? "-" : one_line(*value);
}

// A missing value is neither true nor false.
bool is_true(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}
bool is_false(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && !value->get_bool();
}

using Row = std::pair<std::string, std::string>;

void flatten(const json::value& value, const std::string& name, std::vector<Row>& rows) {
  const auto below = [&](std::string_view key) {
    return name.empty() ? visible(key) : fmt::format("{}.{}", name, visible(key));
  };
  const auto is_object = [](const json::value& element) { return element.is_object(); };
  if (value.is_object() && !value.get_object().empty()) {
    for (const auto& [key, inner] : value.get_object()) {
      flatten(inner, below({key.data(), key.size()}), rows);
    }
  } else if (value.is_array() && std::ranges::any_of(value.get_array(), is_object)) {
    std::size_t number = 0;
    for (const json::value& inner : value.get_array()) {
      flatten(inner, below(fmt::to_string(++number)), rows);
    }
  } else {
    rows.emplace_back(name, one_line(value));
  }
}

std::span<const json::value> list(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return {};
  return {value->get_array().data(), value->get_array().size()};
}

}  // namespace

Result<Secret> token_of(const Secret& body) {
  if (body.size() > kTokenBodyBytesMax) return fail(ErrorKind::kCorrupt, "the reply is too long");
  // The parser keeps everything in this memory, so that it can be wiped.
  std::vector<char> room((std::size_t{4} << 10U) + 16 * body.size());
  Result<Secret> token = fail(ErrorKind::kCorrupt, "the reply has no access_token");
  try {
    json::static_resource memory(reinterpret_cast<unsigned char*>(room.data()), room.size());
    boost::system::error_code error;
    const json::value reply = json::parse(body.reveal(), error, &memory);
    const json::object* object = error ? nullptr : reply.if_object();
    const json::value* text = object == nullptr ? nullptr : object->if_contains("access_token");
    if (text != nullptr && text->is_string() && !text->get_string().empty()) {
      token = Secret(view(text->get_string()));
    }
  } catch (const std::bad_alloc&) {
    token = fail(ErrorKind::kCorrupt, "the reply is nested too deeply");
  }
  wipe(std::span<char>(room));
  return token;
}

namespace {

// Words that the manual explains, explained where they stand too, if there is anything of them.
std::string_view meaning_of(const Row& row) {
  const auto& [name, value] = row;
  if (value == "0") return {};
  if (name == "superseded") return "replaced, and alive until their end";
  if (name == "revoking") return "to be revoked: STILL ALIVE";
  if (name == "member_gone") return "of a member that Circle removed: not usable";
  if (name == "doubts") return "calls whose reply was lost: each may have left a token alive";
  if (name == "rows_set_aside") return "of the database, not believed and not used: rota doctor";
  return {};
}

}  // namespace

std::string describe(const json::object& object) {
  std::vector<Row> rows;
  flatten(object, "", rows);
  for (Row& row : rows) {
    if (const std::string_view meaning = meaning_of(row); !meaning.empty()) {
      row.second += fmt::format("  ({})", meaning);
    }
  }
  std::size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : rows) text += fmt::format("{:<{}}  {}\n", name, width, value);
  return text;
}

std::string describe_status(const json::object& status) {
  std::string text;
  for (const json::value& each : list(status, "not_ready")) {
    const json::object* reason = each.if_object();
    if (reason == nullptr) continue;
    const std::string detail = field(*reason, "detail");
    text += fmt::format("NOT READY: {} ({})\n", field(*reason, "message"), field(*reason, "code"));
    if (!detail.empty() && detail != "-") text += fmt::format("  {}\n", detail);
  }
  json::object rest = status;
  rest.stable_erase("not_ready");
  return text + describe(rest);
}

std::string audit_head() {
  return fmt::format("{:<24} {:<24} {:>6} {:<19} {:<24} {:>6} {:>6} {:>8} {:<12} {:<16}  {}\n",
                     "FIRST", "LAST", "COUNT", "EVENT", "MEMBER", "UID", "GID", "PID", "CLIENT",
                     "TOKEN", "DETAIL");
}

std::string audit_line(const json::value& entry) {
  if (!entry.is_object()) return fmt::format("{}\n", one_line(entry));
  const json::object& row = entry.get_object();
  return fmt::format("{:<24} {:<24} {:>6} {:<19} {:<24} {:>6} {:>6} {:>8} {:<12} {:<16}  {}\n",
                     field(row, "at"), field(row, "last_at"), field(row, "count"),
                     field(row, "event"), field(row, "member"), field(row, "uid"),
                     field(row, "gid"), field(row, "pid"), field(row, "client"),
                     field(row, "token"), field(row, "detail"));
}

std::string describe_reload(const json::object& plan, std::optional<std::size_t> columns) {
  std::string text = plan_screen(plan, {.stage = PlanStage::kReloaded, .columns = columns});
  const json::value* parts = plan.if_contains("reload");
  const json::object* reload = parts == nullptr ? nullptr : parts->if_object();
  if (reload == nullptr) return text;  // an older daemon
  for (const json::value& what : list(*reload, "changed")) {
    text += fmt::format("{}\n", one_line(what));
  }
  for (const json::value& why : list(*reload, "held_back")) {
    text += fmt::format("GRANT HELD BACK: {}\n", one_line(why));
  }
  if (field(*reload, "grants") == "waiting") {
    text +=
        "GRANTS WAIT: removed grants are withdrawn; added grants wait until the whole roster is in "
        "force\n";
  }
  std::string sections;
  for (const json::value& section : list(*reload, "needs_restart")) {
    sections += fmt::format("{}[{}]", sections.empty() ? "" : ", ", one_line(section));
  }
  if (!sections.empty()) {
    text += fmt::format(
        "NEEDS A RESTART: the changes in {} of the configuration; systemctl restart rotad\n",
        sections);
  }
  return text;
}

OperationText describe_operation(const json::object& report, bool must_be_dead) {
  OperationText result;
  std::size_t alive = 0;
  for (const json::value& line : list(report, "revocations")) {
    const json::object* token = line.if_object();
    const bool dead = token != nullptr && is_false(*token, "alive");
    if (!dead) ++alive;
    result.text += token == nullptr
                       ? one_line(line)
                       : fmt::format("{:<7}  {}  {}", field(*token, "kind"),
                                     field(*token, "fingerprint"), field(*token, "result"));
    result.text += dead ? "\n" : "  STILL ALIVE\n";
  }
  result.text += fmt::format("{}: {}\n", field(report, "state"), field(report, "detail"));

  std::vector<std::string> problems;
  if (!is_true(report, "done")) problems.emplace_back("not done");
  if (must_be_dead) {
    const json::value* doubts = report.if_contains("doubts");
    if (alive > 0) problems.push_back(counted(alive, "token is alive", "tokens are alive"));
    if (doubts == nullptr || doubts->kind() != json::kind::int64) {
      problems.emplace_back("the report does not say how many calls are in doubt");
    } else if (doubts->get_int64() != 0) {
      problems.push_back(counted(static_cast<std::size_t>(doubts->get_int64()),
                                 "call of unknown fate may have left a token alive",
                                 "calls of unknown fate may have left tokens alive"));
    }
    if (report.if_contains("revocations") == nullptr) {
      problems.emplace_back("the report does not say what happened to the tokens");
    }
  }
  result.problem = fmt::to_string(fmt::join(problems, "; "));
  return result;
}

OperationText describe_enrolment(int status, const json::object& reply) {
  constexpr int kIsNew = 201;
  constexpr int kIsPending = 202;
  OperationText result{.text = status == kIsNew ? "enrolled" : "a member already", .problem = {}};
  if (status == kIsPending) {
    result.text = "enrolled";
    result.problem = "Circle has not said yet who it is; rotad goes on asking";
  }
  const std::string id = field(reply, "community_member_id");
  if (!id.empty() && id != "-") result.text += fmt::format(": id:{}", id);
  result.text += fmt::format(", {}, source: {}\n", field(reply, "state"), field(reply, "source"));
  return result;
}

OperationText describe_deed(const json::object& report, bool must_be_dead) {
  OperationText result = describe_operation(report, must_be_dead);
  result.text = fmt::format("{}: {}\n", field(report, "state"), field(report, "detail"));
  return result;
}

std::string describe_lift(const json::object& reply) {
  return fmt::format("{} may remove members for an hour{}\n", field(reply, "client"),
                     is_false(reply, "was_held_back") ? "; it was not held back" : "");
}

std::string describe_backup(const json::object& reply) {
  return fmt::format("written: all that was durable at {}, {} bytes, sealed with the store key\n",
                     field(reply, "made_at"), field(reply, "bytes"));
}

Refusal describe_refusal(int status, const json::value& body) {
  Refusal refusal;
  const json::object* object = body.if_object();
  if (object != nullptr && object->if_contains("message") != nullptr) {
    refusal.message = fmt::format("{}: {}", field(*object, "code"), field(*object, "message"));
  } else {
    refusal.message = fmt::format("rotad answered {} without a reason", status);
  }
  const std::string code = object == nullptr ? "" : field(*object, "code");
  if (status == 404 || status == 410) {
    refusal.exit = ExitCode::kNoMember;
  } else if (code == "token_unavailable" || code == "too_many_connections" ||
             code == "enrolment_limited" || code == "removals_limited") {
    refusal.exit = ExitCode::kNotNow;
  }
  return refusal;
}

}  // namespace rota::cli
