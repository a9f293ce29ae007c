#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rota::e2e {

struct Reply {
  int status = 0;  // 0: no reply came
  std::string head;
  std::string body;

  boost::json::object json() const;
  std::string text(
      std::string_view field) const;  // a field of the JSON body; "" when it is not there
};

// A blocking socket of the test's own. A read gives up after its limit, however many bytes come
// until then; so does a send or a connect to a peer that takes nothing.
class Connection {
 public:
  // Longer than the longest wait that a client may ask for.
  static constexpr std::chrono::seconds kReadMax{60};
  static Connection to_unix(const std::filesystem::path& path);
  static Connection to_port(std::uint16_t port);
  static Connection of(int fd);  // takes over a connected socket
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  bool ok() const { return fd_ >= 0; }
  void send(std::string_view bytes) const;
  void finish_sending() const;
  Reply read_reply();
  // What comes up to and with `end`, which is left off. All that has come, if the peer closes or
  // the limit is over before that.
  std::string read_until(std::string_view end, std::chrono::milliseconds limit = kReadMax);
  // True when the peer has closed and nothing is left; silence is no end.
  bool at_end();

 private:
  explicit Connection(int fd) : fd_(fd) {}
  using Deadline = std::chrono::steady_clock::time_point;
  bool more(Deadline deadline);

  int fd_;
  std::string pending_;
  bool ended_ = false;
};

std::string get(std::string_view target);
std::string post(std::string_view target, std::string_view body = {});

}  // namespace rota::e2e
