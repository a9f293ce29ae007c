#include "daemon/roster_watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace rota {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO |
                                  IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |
                                  IN_MOVE_SELF | IN_ONLYDIR;

// The folder, or the nearest folder above it that exists.
fs::path nearest_folder(fs::path folder) {
  std::error_code ignored;
  while (!fs::is_directory(folder, ignored) && folder.has_relative_path()) {
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  }
  return folder;
}

RosterSettling::Touch touch_of(std::uint32_t mask) {
  if ((mask & (IN_CLOSE_WRITE | IN_MOVE | IN_DELETE)) != 0) return RosterSettling::Touch::kClosed;
  if ((mask & IN_MODIFY) != 0) return RosterSettling::Touch::kWritten;
  return RosterSettling::Touch::kOther;
}

}  // namespace

Result<std::unique_ptr<RosterWatch>> RosterWatch::create(boost::asio::io_context& loop,
                                                         const Clock& clock, std::string path,
                                                         Events events) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    return fail(ErrorKind::kIo, fmt::format("cannot watch {}: {}", path, std::strerror(errno)));
  }
  auto watch = std::unique_ptr<RosterWatch>(
      new RosterWatch(loop, clock, fd, std::move(path), std::move(events)));
  if (!watch->watch_folders()) {
    return fail(ErrorKind::kIo,
                fmt::format("cannot watch {}: {}", watch->path_, std::strerror(errno)));
  }
  // Only now, so that no change comes between.
  watch->settling_ = RosterSettling(stamp_roster(watch->path_));
  watch->wait();
  watch->wait_to_look();
  return watch;
}

RosterWatch::RosterWatch(boost::asio::io_context& loop, const Clock& clock, int fd,
                         std::string path, Events events)
    : clock_(clock),
      path_(std::move(path)),
      events_(std::move(events)),
      inotify_(loop, fd),
      due_(loop),
      looking_(loop) {}

// Watches the folders of the roster's files, because a watch on a file follows the file when it is
// renamed. A folder that was created again gets a new watch; one that is gone loses its own.
bool RosterWatch::watch_folders() {
  std::error_code ignored;
  const fs::path absolute = fs::absolute(path_, ignored).lexically_normal();
  const fs::path path = absolute.has_filename() ? absolute : absolute.parent_path();
  std::map<int, Watched> watched;
  watch_folder(nearest_folder(path.parent_path()), path.filename(), watched);
  if (fs::is_directory(path, ignored)) {
    const int roster = ::inotify_add_watch(inotify_.native_handle(), path.c_str(), kEvents);
    if (roster >= 0) watched[roster].is_roster = true;
  } else if (const fs::path target = fs::canonical(path, ignored); !target.empty()) {
    watch_folder(target.parent_path(), target.filename(), watched);
  }
  for (const auto& [descriptor, names] : watched_) {
    if (!watched.contains(descriptor)) ::inotify_rm_watch(inotify_.native_handle(), descriptor);
  }
  watched_ = std::move(watched);
  return !watched_.empty();
}

void RosterWatch::watch_folder(const std::string& folder, std::string name,
                               std::map<int, Watched>& watched) {
  const int descriptor = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), kEvents);
  if (descriptor >= 0) watched[descriptor].names.insert(std::move(name));
}

void RosterWatch::wait() {
  inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (error) return;  // destroyed
                        switch (read_events()) {
                          case Hint::kNothing:
                            break;
                          case Hint::kLook:
                            look();
                            break;
                          case Hint::kTouched:
                            follow(settling_.touched(clock_.now().boot));
                            break;
                        }
                        wait();
                      });
}

void RosterWatch::wait_to_look() {
  looking_.expires_after(kLookEvery);
  looking_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look();
    wait_to_look();
  });
}

RosterWatch::Hint RosterWatch::read_events() {
  Hint strongest = Hint::kNothing;
  alignas(inotify_event) std::array<char, 4'096> buffer{};
  while (true) {
    const auto got = ::read(inotify_.native_handle(), buffer.data(), buffer.size());
    if (got <= 0) return strongest;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      strongest = std::max(strongest, take_event(event, name));
      at += sizeof event + event.len;
    }
  }
}

RosterWatch::Hint RosterWatch::take_event(const inotify_event& event, std::string_view name) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {  // whatever it was: the closing of a file, perhaps
    settling_.note_lost();
    return Hint::kTouched;
  }
  const auto watched = watched_.find(event.wd);
  if (watched == watched_.end()) return Hint::kNothing;
  const bool ours =
      watched->second.names.contains(name) || (watched->second.is_roster && is_roster_name(name));
  if (!ours) return (event.mask & IN_MODIFY) != 0 ? Hint::kNothing : Hint::kLook;
  settling_.note({event.wd, std::string(name)}, touch_of(event.mask));
  return Hint::kTouched;
}

void RosterWatch::look() {
  watch_folders();
  follow(settling_.looked(stamp_roster(path_), clock_.now().boot));
}

void RosterWatch::follow(RosterSettling::Advice advice) {
  switch (advice) {
    case RosterSettling::Advice::kWait:
      return wait_for_due();
    case RosterSettling::Advice::kTellOfIt:
      wait_for_due();
      return events_.unsettled();
    case RosterSettling::Advice::kReadItNow:
      events_.changed();
      return look();
  }
}

void RosterWatch::wait_for_due() {
  const auto due = settling_.due();
  if (!due) return;
  due_.expires_after(*due - clock_.now().boot);
  due_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    watch_folders();
    follow(settling_.due_now(stamp_roster(path_), clock_.now().boot));
  });
}

}  // namespace rota
