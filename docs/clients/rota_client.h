// A client of Rota's token socket, for C++20, POSIX and OpenSSL's libcrypto.
//
//   rota_client::Rota rota;
//   std::string token = rota.token({"email", "grace@example.com"});
//   // Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
//   token = rota.token({"email", "grace@example.com"}, token);
//
// On a listener, with the token that `rota client add` printed:
//
//   rota_client::Rota rota("127.0.0.1:8465", std::chrono::seconds(10), std::getenv("ROTA_TOKEN"));
//
// One object serves all threads of a program.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace rota_client {

// Rota gave no token. `code` says why; `retry_after` says when to ask again.
struct Error : std::runtime_error {
  Error(int the_status, std::string the_code, const std::string& message,
        std::optional<std::chrono::seconds> after = {})
      : std::runtime_error(std::to_string(the_status) + " " + the_code + ": " + message),
        status(the_status),
        code(std::move(the_code)),
        retry_after(after) {}
  int status;  // 0: Rota could not be reached
  std::string code;
  std::optional<std::chrono::seconds> retry_after;
};

// The member left, or an operator blocked it: stop acting for this member.
struct MemberGone : Error {
  using Error::Error;
};

struct Member {
  std::string name;  // email, community_member_id or sso_user_id
  std::string value;
};

class Rota {
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;

 public:
  // `path`: of a socket, or IPV4_ADDRESS:PORT of a listener. `patience`: for how long one call may
  // wait and try again. `bearer`: for a listener.
  explicit Rota(std::string path = "/run/rota/token.sock",
                Milliseconds patience = std::chrono::seconds(10), const std::string& bearer = {})
      : path_(std::move(path)),
        patience_(patience),
        authorization_(bearer.empty() ? "" : "Authorization: Bearer " + bearer + "\r\n") {}

  // An access token of the member. `refused`: the token to which Circle answered 401. Throws
  // MemberGone or Error.
  std::string token(const Member& member, std::string_view refused = {}) {
    const std::string query = member.name + "=" + percent_encoded(member.value);
    if (auto kept = find(query, refused)) return *kept;
    const std::string also = refused.empty() ? "" : "&refused=" + fingerprint(refused);
    const auto deadline = Clock::now() + patience_;
    for (;;) {
      const auto asked_at = Clock::now();
      std::optional<Error> failure;
      Milliseconds pause = kConnectAgain;
      try {
        const Reply reply = get(query + also, std::max(Clock::duration(0), deadline - asked_at));
        if (reply.status == 200) {
          const auto life = reply.seconds("Rota-Expires-In");
          const std::string found = reply.text("access_token");
          keep(query, found, asked_at + std::max<Milliseconds>(life - kLifeMin, life / 2));
          return found;
        }
        if (reply.status == 410) throw MemberGone(410, reply.text("code"), reply.text("message"));
        const auto after = reply.seconds("Retry-After");
        failure.emplace(reply.status, reply.text("code"), reply.text("message"), after);
        if (reply.status != 503 || after.count() == 0) throw *failure;
        pause = after;
      } catch (const std::system_error& error) {
        failure.emplace(0, "unreachable", error.what());
        // Otherwise the queue of new connections is full, or the daemon has just been restarted.
        const int code = error.code().value();
        if (code == ENOENT || code == EACCES) throw *failure;
      }
      if (Clock::now() + pause > deadline) throw *failure;
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  static constexpr std::chrono::seconds kLifeMin{60};  // a token with less left is fetched again
  static constexpr std::size_t kKeptTokensMax = 10'000;
  static constexpr Milliseconds kConnectAgain{50};
  // On top of what Rota may wait, so that Rota's answer comes first.
  static constexpr std::chrono::seconds kReplyExtra{5};

  struct Kept {
    std::string token;
    Clock::time_point until;
  };

  struct Reply {
    int status = 0;
    std::string bytes;

    std::chrono::seconds seconds(std::string_view header) const {
      const auto at = bytes.find("\r\n" + std::string(header) + ": ");
      if (at == std::string::npos) return {};
      return std::chrono::seconds(std::atoi(bytes.c_str() + at + header.size() + 4));
    }
    // A text of the body. Neither tokens nor codes have a character that JSON escapes.
    std::string text(std::string_view field) const {
      const std::string before = "\"" + std::string(field) + "\":\"";
      const auto at = bytes.find(before);
      if (at == std::string::npos) return {};
      const auto begin = at + before.size();
      return bytes.substr(begin, bytes.find('"', begin) - begin);
    }
  };

  class Socket {
   public:
    // `patience`: the limit of the connect. What follows has kReplyExtra on top.
    Socket(const std::string& path, Clock::duration patience)
        : fd_(::socket(path.starts_with('/') ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      check(fd_);
      limit(SO_SNDTIMEO, std::max<Clock::duration>(patience, kConnectAgain));  // 0 is no limit
      limit(SO_RCVTIMEO, patience + kReplyExtra);
    }
    ~Socket() { ::close(fd_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    // SO_SNDTIMEO limits a connect, too.
    void connect(const std::string& path) const {
      if (!path.starts_with('/')) return connect_to_port(path);
      sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
      if (path.size() >= sizeof(address.sun_path)) throw std::invalid_argument("a long path");
      std::memcpy(address.sun_path, path.data(), path.size());
      check(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
    }
    void send(std::string_view bytes) const {
      check(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));  // less than a buffer holds
    }
    std::string read_to_end() const {
      std::string all;
      char part[8192];
      for (;;) {
        const ssize_t count = ::recv(fd_, part, sizeof(part), 0);
        check(count);
        if (count == 0) return all;
        all.append(part, static_cast<std::size_t>(count));
      }
    }

   private:
    void connect_to_port(const std::string& path) const {
      const auto colon = std::min(path.find(':'), path.size());
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(path.c_str() + colon + 1)));
      if (::inet_pton(AF_INET, path.substr(0, colon).c_str(), &address.sin_addr) != 1) {
        throw std::invalid_argument("neither a path nor IPV4_ADDRESS:PORT");
      }
      check(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
    }
    void limit(int option, Clock::duration most) const {
      const auto us = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
      const timeval time{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
      check(::setsockopt(fd_, SOL_SOCKET, option, &time, sizeof(time)));
    }
    static void check(ssize_t result) {
      if (result < 0) throw std::system_error(errno, std::system_category());
    }
    int fd_;
  };

  // One request on a connection of its own, which Rota closes after the reply.
  Reply get(const std::string& query, Clock::duration wait) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
    const Socket socket(path_, wait);
    socket.connect(path_);
    socket.send("GET /v1/token?" + query + "&wait=" + std::to_string(seconds) +
                " HTTP/1.1\r\nHost: localhost\r\n" + authorization_ + "Connection: close\r\n\r\n");
    Reply reply{.bytes = socket.read_to_end()};
    if (!reply.bytes.ends_with("}")) throw std::system_error(ECONNRESET, std::system_category());
    reply.status = std::atoi(reply.bytes.c_str() + sizeof("HTTP/1.1"));
    return reply;
  }

  std::optional<std::string> find(const std::string& query, std::string_view refused) {
    const std::scoped_lock lock(mutex_);
    const auto found = kept_.find(query);
    if (found == kept_.end()) return std::nullopt;
    if (found->second.token != refused && Clock::now() < found->second.until) {
      return found->second.token;
    }
    kept_.erase(found);
    return std::nullopt;
  }

  void keep(const std::string& query, std::string token, Clock::time_point until) {
    const std::scoped_lock lock(mutex_);
    if (kept_.size() >= kKeptTokensMax) kept_.clear();  // a fetch takes microseconds
    kept_.insert_or_assign(query, Kept{std::move(token), until});
  }

  static void append_hex(std::string& out, char byte) {
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) / 16]);
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) % 16]);
  }
  static std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char byte : text) {
      const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= 'a' && byte <= 'z') || byte == '.' || byte == '-';
      out.push_back(plain ? byte : '%');
      if (!plain) append_hex(out, byte);
    }
    return out;
  }
  static std::string fingerprint(std::string_view token) {
    unsigned char sum[SHA256_DIGEST_LENGTH];
    ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), sum);
    std::string out;
    for (int i = 0; i < 8; ++i) append_hex(out, static_cast<char>(sum[i]));
    return out;
  }

  const std::string path_;
  const Milliseconds patience_;
  const std::string authorization_;  // a header field, or nothing
  std::mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;  // by query; guarded by mutex_
};

}  // namespace rota_client
