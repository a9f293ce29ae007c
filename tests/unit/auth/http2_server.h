#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/unit/auth/transport_fixture.h"

namespace rota {

// http2_server.mjs in Node, the only HTTP/2 server at hand whose streams and connections can be
// ended by hand.
class Http2Server {
 public:
  explicit Http2Server(const std::vector<std::string>& words) : certificate_("IP:127.0.0.1") {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    ROTA_CHECK(pipe2(input.data(), O_CLOEXEC) == 0 && pipe2(output.data(), O_CLOEXEC) == 0);
    std::vector<std::string> command{"node", HTTP2_SERVER, certificate_.certificate(),
                                     certificate_.key()};
    command.insert(command.end(), words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      dup2(input[0], STDIN_FILENO);
      dup2(output[1], STDOUT_FILENO);
      execvp(arguments.front(), arguments.data());
      _exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    stdin_ = input[1];
    stdout_ = output[0];
    const std::string line = next_line();
    ROTA_CHECK(line.starts_with("port "));  // scripts/packages test installs node
    std::from_chars(line.data() + 5, line.data() + line.size(), port_);
  }
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;
  ~Http2Server() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    ::close(stdin_);
    ::close(stdout_);
  }

  const Certificate& certificate() const { return certificate_; }
  HeadlessAuthOptions options(Duration request_timeout = std::chrono::seconds{20}) const {
    HeadlessAuthOptions options = options_for(fmt::format("https://127.0.0.1:{}", port_));
    options.ca_file = certificate_.certificate();
    options.connect_timeout = std::chrono::seconds{20};
    options.request_timeout = request_timeout;
    return options;
  }
  // The next line that it says; "" when none comes for 20 s.
  std::string next_line() {
    constexpr int kPatienceMs = 20'000;
    std::string line;
    pollfd output{.fd = stdout_, .events = POLLIN, .revents = 0};
    char c = 0;
    while (poll(&output, 1, kPatienceMs) == 1 && read(stdout_, &c, 1) == 1 && c != '\n') {
      line.push_back(c);
    }
    return line;
  }

 private:
  const Certificate certificate_;
  pid_t child_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  int port_ = 0;
};

inline void expect_answer(const HttpResult& result, std::string_view body) {
  ASSERT_TRUE(result.has_value()) << result.error().why;
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->body.reveal(), body);
}

inline void expect_failure(const HttpResult& result, TransientReason reason) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, reason) << result.error().why;
}

}  // namespace rota
