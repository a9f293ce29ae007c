#include "tests/support/tls_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>

#include "base/check.h"

namespace rota {
namespace {

// It says "ACCEPT 127.0.0.1:PORT" once it listens.
int read_port(int output) {
  std::string text;
  char c = 0;
  while (::read(output, &c, 1) == 1) {
    if (c != '\n') {
      text.push_back(c);
      continue;
    }
    int port = 0;
    const std::size_t colon = text.rfind(':');
    if (text.starts_with("ACCEPT") && colon != std::string::npos) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
      return port;
    }
    text.clear();
  }
  return 0;
}

}  // namespace

TlsServer::TlsServer(const Certificate& certificate, const std::string& version) {
  if (!certificate.made()) return;
  std::array<int, 2> output{};
  ROTA_CHECK(::pipe(output.data()) == 0);
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(output[1], STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    ::execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", version.c_str(),
             "-cert", certificate.certificate().c_str(), "-key", certificate.key().c_str(),
             nullptr);
    ::_exit(127);
  }
  ::close(output[1]);
  port_ = read_port(output[0]);
  ::close(output[0]);
}

TlsServer::~TlsServer() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

std::string TlsServer::url() const { return fmt::format("https://127.0.0.1:{}", port_); }

}  // namespace rota
