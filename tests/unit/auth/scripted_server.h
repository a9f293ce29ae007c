#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace rota {

// A request as it was on the wire.
struct WireRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string raw_head;
  std::string body;
};

// The server's end of one connection: raw bytes in and out, blocking. Every wait ends after 20 s,
// so that a broken test fails instead of hanging.
class WireConnection {
 public:
  explicit WireConnection(int socket) : socket_(socket) {}
  WireConnection(WireConnection&& other) noexcept;
  WireConnection& operator=(WireConnection&&) = delete;
  ~WireConnection() { close(); }

  // The next request with its whole body; nothing when the peer closed or sent no whole one.
  std::optional<WireRequest> read_request();
  // Reads up to the blank line only, and leaves the body in the socket.
  std::optional<WireRequest> read_head();
  void write(std::string_view bytes);
  // Waits until a byte has come that was not read yet, and leaves it there.
  bool wait_for_byte() { return read_until(1); }
  // Waits until the peer has closed its end; what came before that and was not read.
  std::string wait_for_close();
  void close();
  // Closes with a reset instead of an orderly end.
  void reset();

 private:
  bool read_until(std::size_t size);

  int socket_;
  std::string buffer_;
};

// A server on a free port of 127.0.0.1 that does what a script tells it, on a thread of its own.
class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedServer&)>;

  explicit ScriptedServer(Script script);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  std::string url() const;
  std::uint16_t port() const { return port_; }

  // For the script: the next connection.
  WireConnection accept();
  // For the test: waits until the script is over.
  void finish();
  // After finish(), and when the clients have closed: all that was sent on connections that the
  // script did not accept. A connection alone is not a request.
  std::string unaccepted_bytes();

 private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// "HTTP/1.1 200 OK" and so on, with Content-Length.
std::string http_reply(int status, std::string_view body, std::string_view more_headers = "");

// A port of 127.0.0.1 that nobody listens on.
std::uint16_t closed_port();

}  // namespace rota
