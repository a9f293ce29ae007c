#include "daemon/roster_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace rota {

Result<std::unique_ptr<RosterWatch>> RosterWatch::create(boost::asio::io_context& loop,
                                                         const std::string& path,
                                                         std::function<void()> changed) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  const std::filesystem::path file(path);
  const std::string folder =
      is_folder ? path : (file.has_parent_path() ? file.parent_path().string() : ".");
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  constexpr std::uint32_t kEvents =
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;
  if (fd < 0 || ::inotify_add_watch(fd, folder.c_str(), kEvents) < 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return fail(ErrorKind::kIo, fmt::format("watching {}: {}", folder, std::strerror(error)));
  }
  auto watch = std::unique_ptr<RosterWatch>(new RosterWatch(
      loop, fd, is_folder ? std::string{} : file.filename().string(), std::move(changed)));
  watch->wait();
  return watch;
}

RosterWatch::RosterWatch(boost::asio::io_context& loop, int fd, std::string name,
                         std::function<void()> changed)
    : name_(std::move(name)), changed_(std::move(changed)), inotify_(loop, fd), settling_(loop) {}

void RosterWatch::wait() {
  inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (error) return;  // destroyed
                        if (concerns_roster()) settle();
                        wait();
                      });
}

bool RosterWatch::concerns_roster() {
  bool concerns = false;
  alignas(inotify_event) std::array<char, 4'096> buffer{};
  while (true) {
    const auto got = ::read(inotify_.native_handle(), buffer.data(), buffer.size());
    if (got <= 0) return concerns;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      concerns = concerns || name_.empty() || name_ == name;
      at += sizeof event + event.len;
    }
  }
}

void RosterWatch::settle() {
  settling_.expires_after(kSettle);
  settling_.async_wait([this](const boost::system::error_code& error) {
    if (!error) changed_();
  });
}

}  // namespace rota
