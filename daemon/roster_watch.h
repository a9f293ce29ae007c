#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "settings/secret_files.h"

struct inotify_event;

namespace rota {

// Reports that the roster on disk may have changed, once it has been left alone for kSettle.
//
// It goes by the roster's stamp (settings/secret_files.h) and by inotify's events for its names. It
// looks at the stamp every kLookEvery as well, for changes without an event: a folder that was
// created again, a link on the way, a network file system. It waits until a file that is being
// written is closed. After a change while the roster is being read it reports another one. Loop
// thread only; may be destroyed at any time.
class RosterWatch {
 public:
  static constexpr Duration kSettle{300};
  // A file that stays open after a write counts as finished after this long without another write.
  static constexpr Duration kWriterMax{30'000};
  // If changes do not stop for this long, Events::unsettled is called. The roster is not read then,
  // because it may be half written.
  static constexpr Duration kUnsettledMax{30'000};
  static constexpr Duration kLookEvery{10'000};

  struct Events {
    std::function<void()> changed;    // read it now
    std::function<void()> unsettled;  // it keeps changing; called once each time that happens
  };

  // Notices every change from now on, so create it before the roster is read for the first time.
  // `path`: the file or folder of the roster. kIo: the kernel gives no watch.
  static Result<std::unique_ptr<RosterWatch>> create(boost::asio::io_context& loop,
                                                     std::string path, Events events);

 private:
  // What to look for in a watched folder: these names, and every *.toml if it is the roster's
  // folder.
  struct Watched {
    std::set<std::string, std::less<>> names;
    bool is_roster = false;
  };
  enum class Hint { kNothing, kLook, kTouched };

  RosterWatch(boost::asio::io_context& loop, int fd, std::string path, Events events);
  bool watch_folders();
  void watch_folder(const std::string& folder, std::string name, std::map<int, Watched>& watched);
  void wait();
  void wait_to_look();
  Hint read_events();
  Hint take_event(const inotify_event& event, std::string_view name);
  void look();
  void settle(bool by_stamp);
  void settled();

  const std::string path_;
  const Events events_;
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer settling_;
  boost::asio::steady_timer looking_;
  std::map<int, Watched> watched_;  // by inotify's watch descriptor
  RosterStamp seen_;
  bool by_stamp_ = false;                          // only the stamp showed the change, no event
  std::set<std::pair<int, std::string>> writing_;  // files written to and not closed yet
  std::optional<std::chrono::steady_clock::time_point> unsettled_since_;
  bool told_unsettled_ = false;
};

}  // namespace rota
