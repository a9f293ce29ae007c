#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace rota::cli {

// Answers in order, and keeps what was asked.
class ScriptedTransport : public Transport {
 public:
  Result<Reply> send(const Request& request) override {
    requests.push_back(request);
    if (request.while_waiting) request.while_waiting();
    if (replies.empty()) return fail(ErrorKind::kIo, "cannot reach rotad at x: gone");
    auto [status, body] = replies.front();
    replies.pop_front();
    return Reply{status, Secret(body)};
  }
  // The body byte by byte: events must not depend on their pieces.
  Result<Reply> stream(const Request& request, const Take& take) override {
    ROTA_ASSIGN(Reply reply, send(request));
    if (reply.status != 200) return reply;
    for (const char& byte : reply.body.reveal()) ROTA_TRY(take({&byte, 1}));
    return Reply{reply.status, Secret()};
  }
  std::deque<std::pair<int, std::string>> replies;
  std::vector<Request> requests;
};

class GatheredOutput : public Output {
 public:
  Result<void> out(std::string_view text) override {
    if (broken) return fail(ErrorKind::kIo, "cannot write: No space left on device");
    printed += text;
    return {};
  }
  void err(std::string_view line) override { said.emplace_back(line); }
  bool has_colours() const override { return colours; }
  int begin_work() override {
    ++works;
    return -1;
  }
  void working(std::string_view what, std::string_view goes_on) override {
    EXPECT_EQ(works, 1);
    progress.emplace_back(what, goes_on);
  }
  void end_work() override { --works; }
  bool colours = false;
  int works = 0;
  std::vector<std::pair<std::string, std::string>> progress;
  bool broken = false;
  std::string printed;
  std::vector<std::string> said;
};

class ScriptedConsole : public Console {
 public:
  bool is_there() const override { return answer.has_value(); }
  Result<std::string> ask(std::string_view) override { return *answer; }
  Result<Secret> ask_unseen(std::string_view) override { return Secret(*answer); }
  std::optional<std::string> answer;  // none: nobody is there
};

class Commands : public ::testing::Test {
 protected:
  ExitCode run_it(Command command, bool json = false) {
    return run(Options{.command = std::move(command), .json = json, .socket = "x"}, transport_,
               output_, console_, [] { return *parse_iso8601("2024-03-20T16:42:10Z"); });
  }
  ScriptedTransport transport_;
  GatheredOutput output_;
  ScriptedConsole console_;
  const MemberKey key_ = *MemberKey::parse("id:42");
};

}  // namespace rota::cli
