#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/admin_api.h"
#include "api/frontend.h"
#include "unit/api/fakes.h"

namespace rota::admin_api {

inline const PeerIdentity kRoot{.uid = 0, .gid = 0, .pid = 1};
inline const PeerIdentity kStranger{.uid = 1'000, .gid = 0, .pid = 1};

class AdminApi : public testing::Test {
 protected:
  // "METHOD target" to a one-line description of the answer.
  std::string ask(std::string_view method, std::string_view target, PeerIdentity peer = kRoot) {
    return ask(frontend, method, target, peer);
  }
  std::string ask(const Frontend& at, std::string_view method, std::string_view target,
                  PeerIdentity peer = kRoot) {
    const auto mark = target.find('?');
    RequestHead head;
    head.method = method;
    head.path = target.substr(0, mark);
    if (mark != std::string_view::npos) head.query = target.substr(mark + 1);
    Answer answer = at.answer(head, {}, peer);
    if (auto* later = std::get_if<LaterReply>(&answer)) {
      later_reply.reset();
      later->start([this](PlainReply reply) { later_reply = std::move(reply); });
      return later_reply ? "answered too early" : "later";
    }
    if (std::holds_alternative<TokenReply>(answer)) return "token";
    if (std::holds_alternative<WaitReply>(answer)) return "wait";
    if (auto* json = std::get_if<JsonReply>(&answer)) {
      return (json->status == JsonStatus::kUnavailable ? "503 " : "") + json->body;
    }
    if (auto* metrics = std::get_if<MetricsReply>(&answer)) return metrics->body;
    return text_of(std::get<ErrorReply>(answer));
  }
  static std::string text_of(const ErrorReply& error) {
    std::string text(row_of(error.code).code);
    if (!error.allow.empty()) text += " " + std::string(error.allow);
    return text;
  }
  std::string later_text() const {
    if (!later_reply) return "nothing yet";
    if (const auto* json = std::get_if<JsonReply>(&*later_reply)) return json->body;
    return text_of(std::get<ErrorReply>(*later_reply));
  }

  std::vector<std::string> members_asked_for() const {
    std::vector<std::string> names;
    for (const MemberKey& key : admin.audit_request.members) names.push_back(key.text());
    return names;
  }

  FakeClock clock;
  FakeTokenService tokens{clock};
  FakeAdminService admin;
  FakeHealthService health;
  AccessPolicy policy{990};
  Frontend frontend = Frontend::admin_socket(tokens, policy, health, admin);
  Frontend token_socket = Frontend::token_socket(tokens, policy, health);
  Frontend metrics_listener = Frontend::metrics_port(health);
  std::optional<PlainReply> later_reply;
};

}  // namespace rota::admin_api
