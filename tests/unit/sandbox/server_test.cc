// The real binary over real HTTP, as a client of Circle sees it.

#include <curl/curl.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace rota::sandbox {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// How long a client waits for a reply that never comes: long enough for a busy machine to have
// read the request by then.
constexpr long kPatienceMs = 500;

// rota-sandbox as a child process; killed with its owner if it was not ended.
class Process {
 public:
  explicit Process(std::vector<std::string> args) {
    args.insert(args.begin(), ROTA_SANDBOX_BINARY);
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    std::array<int, 2> pipe_ends{};
    EXPECT_EQ(::pipe2(pipe_ends.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
    output_.reset(::fdopen(pipe_ends[0], "r"));
  }
  ~Process() {
    if (pid_ > 0) end(SIGKILL);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Blocks until the process writes a line; empty at its end.
  std::string line() {
    std::array<char, 1024> text{};
    if (std::fgets(text.data(), text.size(), output_.get()) == nullptr) return {};
    return text.data();
  }
  // Sends a signal (0: none) and waits; the exit code, or minus the signal that killed it.
  int end(int signal) {
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  struct Closer {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  pid_t pid_ = 0;
  std::unique_ptr<FILE, Closer> output_;
};

struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;
  long connects = 0;  // connections that this call had to open
  std::string body;
  std::string head;
};

size_t append(char* data, size_t size, size_t count, void* target) {
  static_cast<std::string*>(target)->append(data, size * count);
  return size * count;
}

// One libcurl handle, and so one connection while the server keeps it.
class Client {
 public:
  explicit Client(std::string base) : base_(std::move(base)), curl_(curl_easy_init()) {}

  Answer call(const char* method, const std::string& path, const std::string& body,
              long timeout_ms = 20'000) {
    Answer answer;
    CURL* curl = curl_.get();
    curl_easy_reset(curl);
    curl_slist* headers = curl_slist_append(nullptr, "Authorization: Bearer sandbox-app-token");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, (base_ + path).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (!body.empty()) curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.head);
    answer.code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &answer.connects);
    curl_slist_free_all(headers);
    return answer;
  }
  Answer issue(int id = 1, long timeout_ms = 20'000) {
    return call("POST", "/api/v1/headless/auth_token",
                R"({"community_member_id":)" + std::to_string(id) + "}", timeout_ms);
  }

 private:
  struct Cleanup {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  std::string base_;
  std::unique_ptr<CURL, Cleanup> curl_;
};

class SandboxServer : public testing::Test {
 protected:
  static std::string wait_for_url(Process& process) {
    const std::string line = process.line();
    constexpr std::string_view kStart = "rota-sandbox listening on ";
    EXPECT_THAT(line, MatchesRegex("rota-sandbox listening on http://127.0.0.1:[1-9][0-9]*\n"));
    if (line.size() <= kStart.size()) return {};
    return line.substr(kStart.size(), line.size() - kStart.size() - 1);
  }

  void TearDown() override {
    EXPECT_EQ(json("GET", "/_sandbox/stats").at("in_flight").at("now"), 0);
    EXPECT_EQ(process_.end(SIGTERM), 0);
  }

  boost::json::object json(const char* method, const std::string& path,
                           const std::string& body = {}) {
    const Answer answer = control_.call(method, path, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return boost::json::parse(answer.body).as_object();
  }
  void use_fault(const std::string& rule) {
    json("POST", "/_sandbox/faults", R"([")" + rule + R"("])");
  }
  boost::json::array tokens(const std::string& query) {
    return json("GET", "/_sandbox/ledger?" + query).at("tokens").as_array();
  }

  Process process_{{"--port", "0", "--members", "5"}};
  const std::string url_ = wait_for_url(process_);
  Client client_{url_};
  Client control_{url_};
};

TEST_F(SandboxServer, IssuesRefreshesAndRevokesOnOneConnection) {
  const Answer issued = client_.issue();
  ASSERT_EQ(issued.code, CURLE_OK) << curl_easy_strerror(issued.code);
  ASSERT_EQ(issued.status, 200);
  EXPECT_EQ(issued.connects, 1);
  EXPECT_THAT(issued.head, HasSubstr("Content-Type: application/json; charset=utf-8\r\n"));
  const auto pair = boost::json::parse(issued.body).as_object();

  const boost::json::object by_refresh{{"refresh_token", pair.at("refresh_token")}};
  const boost::json::object by_access{{"access_token", pair.at("access_token")}};
  const Answer refreshed = client_.call("PATCH", "/api/v1/headless/access_token/refresh",
                                        boost::json::serialize(by_refresh));
  EXPECT_EQ(refreshed.status, 200);
  EXPECT_EQ(refreshed.connects, 0);
  const Answer access = client_.call("POST", "/api/v1/headless/access_token/revoke",
                                     boost::json::serialize(by_access));
  EXPECT_EQ(access.status, 204);
  EXPECT_EQ(access.body, "");
  EXPECT_EQ(access.connects, 0);
  const Answer refresh = client_.call("POST", "/api/v1/headless/refresh_token/revoke",
                                      boost::json::serialize(by_refresh));
  EXPECT_EQ(refresh.status, 204);
  EXPECT_EQ(refresh.connects, 0) << "a 204 keeps the connection";
  EXPECT_EQ(tokens("state=revoked").size(), 2U);
  EXPECT_EQ(tokens("state=live").size(), 1U);
}

TEST_F(SandboxServer, DateIsByTheSandboxesClock) {
  json("POST", "/_sandbox/options", R"({"clock_offset":"-1d"})");
  const Answer answer = client_.issue();
  const std::size_t start = answer.head.find("Date: ");
  ASSERT_NE(start, std::string::npos);
  const auto date = parse_http_date(answer.head.substr(start + 6, 29));
  ASSERT_TRUE(date);
  const auto yesterday = std::chrono::system_clock::now() - std::chrono::days{1};
  EXPECT_LT(std::chrono::abs(*date - yesterday), std::chrono::minutes{1});
}

TEST_F(SandboxServer, ChunkedRepliesAreReadAndKeepTheConnection) {
  use_fault("issue:chunked:1");
  const Answer answer = client_.issue();
  ASSERT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(boost::json::parse(answer.body).at("community_member_id"), 1);
  EXPECT_EQ(client_.issue().connects, 0);
}

TEST_F(SandboxServer, DropBeforeHasNoEffect) {
  use_fault("issue:drop_before:1");
  EXPECT_EQ(client_.issue().code, CURLE_GOT_NOTHING);
  EXPECT_TRUE(tokens("").empty());
}

TEST_F(SandboxServer, DropAfterLeavesTokensThatNobodyGot) {
  use_fault("issue:drop_after:1");
  EXPECT_EQ(client_.issue().code, CURLE_GOT_NOTHING);
  const auto lost = tokens("community_member_id=1");
  ASSERT_EQ(lost.size(), 2U);
  for (const auto& token : lost) {
    EXPECT_EQ(token.at("delivered"), false);
    EXPECT_EQ(token.at("state"), "live");
  }
}

TEST_F(SandboxServer, TruncatedReplyHasItsLength) {
  use_fault("issue:truncated:1");
  const Answer answer = client_.issue();
  EXPECT_EQ(answer.code, CURLE_OK) << "HTTP is in order, the JSON is not";
  boost::json::error_code ec;
  boost::json::parse(answer.body, ec);
  EXPECT_TRUE(ec);
  EXPECT_EQ(tokens("").at(0).at("delivered"), false);
}

TEST_F(SandboxServer, HangEndsWithItsClient) {
  use_fault("issue:hang:1");
  EXPECT_EQ(client_.issue(1, kPatienceMs).code, CURLE_OPERATION_TIMEDOUT);
  // The next call of the member comes after the client gave up, so the two do not overlap.
  use_fault("issue:hang:0");
  EXPECT_EQ(client_.issue().status, 200);
  EXPECT_EQ(json("GET", "/_sandbox/stats").at("in_flight").at("overlaps"), 0);
}

TEST_F(SandboxServer, AReplyThatTheClientDidNotWaitForIsNotDelivered) {
  json("POST", "/_sandbox/options", R"({"latency":"1h"})");
  EXPECT_EQ(client_.issue(1, kPatienceMs).code, CURLE_OPERATION_TIMEDOUT);
  const auto all = tokens("");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("delivered"), false);
}

TEST_F(SandboxServer, HugeReplyIsAtLeastSixteenMebibytes) {
  use_fault("issue:huge:1");
  const Answer answer = client_.issue();
  EXPECT_EQ(answer.status, 200);
  EXPECT_GE(answer.body.size(), std::size_t{16} << 20U);
}

TEST_F(SandboxServer, RedirectPointsElsewhere) {
  use_fault("issue:redirect:1");
  const Answer answer = client_.issue();
  EXPECT_EQ(answer.status, 302);
  EXPECT_THAT(answer.head, HasSubstr("Location: /api/v1/headless/moved\r\n"));
}

TEST_F(SandboxServer, OversizedBodyIsRefusedAndNoted) {
  const Answer answer =
      client_.call("POST", "/api/v1/headless/auth_token", std::string(std::size_t{2} << 20U, ' '));
  EXPECT_EQ(answer.status, 413);
  const auto violations = json("GET", "/_sandbox/stats").at("violations");
  EXPECT_EQ(violations.at("by_reason").at("request too large"), 1);
}

TEST(SandboxCommand, BadOptionsAreOneLineAndExitCode2) {
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"--nothing"},
                                             {"--port", "70000"},
                                             {"--fault", "issue:nothing:1"},
                                             {"--access-ttl", "5"},
                                             {"--members", "-1"},
                                             {"--app-token-file", "/nonexistent"},
                                             {"--member", "x"}}) {
    SCOPED_TRACE(args[0]);
    Process process(args);
    EXPECT_THAT(process.line(), MatchesRegex("rota-sandbox: .+\n"));
    EXPECT_EQ(process.line(), "");
    EXPECT_EQ(process.end(0), 2);
  }
}

TEST(SandboxCommand, GoodOptionsAreTakenAndSigintEndsIt) {
  Process process({"--port=0", "--member", "7,seven@example.com", "--clock-offset", "-90s",
                   "--fault", "any:html502:0", "--fault", "issue:json500:1", "--seed", "3",
                   "--refresh-mode", "sticky", "--retry-after=date"});
  EXPECT_THAT(process.line(), HasSubstr("listening"));
  EXPECT_EQ(process.end(SIGINT), 0);
}

TEST(SandboxCommand, LogHasALinePerCall) {
  Process process({"--member", "7", "--log"});
  const std::string line = process.line();
  Client client(line.substr(line.find("http"), line.size() - line.find("http") - 1));
  EXPECT_EQ(client.issue(7).status, 200);
  EXPECT_THAT(process.line(), MatchesRegex("POST /api/v1/headless/auth_token member=7 200 "
                                           "access=[0-9a-f]{16} refresh=[0-9a-f]{16}\n"));
  EXPECT_EQ(process.end(SIGTERM), 0);
}

}  // namespace
}  // namespace rota::sandbox
