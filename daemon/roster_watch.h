#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "daemon/roster_settling.h"

struct inotify_event;

namespace rota {

// Reports that the roster on disk may have changed, once it has been left alone. It watches;
// RosterSettling decides when that is.
//
// It goes by the roster's stamp (settings/secret_files.h) and by inotify's events for its names. It
// looks at the stamp every kLookEvery as well, for changes without an event: a folder that was
// created again, a link on the way, a network file system. After a change while the roster is being
// read it reports another one. Loop thread only; may be destroyed at any time.
class RosterWatch {
 public:
  static constexpr Duration kLookEvery{10'000};

  struct Events {
    std::function<void()> changed;    // read it now
    std::function<void()> unsettled;  // it keeps changing; called once each time that happens
  };

  // Notices every change from now on, so create it before the roster is read for the first time.
  // `path`: the file or folder of the roster. `loop` and `clock` outlive it. kIo: the kernel gives
  // no watch.
  static Result<std::unique_ptr<RosterWatch>> create(boost::asio::io_context& loop,
                                                     const Clock& clock, std::string path,
                                                     Events events);

 private:
  // What to look for in a watched folder: these names, and every *.toml if it is the roster's
  // folder.
  struct Watched {
    std::set<std::string, std::less<>> names;
    bool is_roster = false;
  };
  enum class Hint { kNothing, kLook, kTouched };

  RosterWatch(boost::asio::io_context& loop, const Clock& clock, int fd, std::string path,
              Events events);
  bool watch_folders();
  void watch_folder(const std::string& folder, std::string name, std::map<int, Watched>& watched);
  void wait();
  void wait_to_look();
  Hint read_events();
  Hint take_event(const inotify_event& event, std::string_view name);
  void look();
  void follow(RosterSettling::Advice advice);
  void wait_for_due();

  const Clock& clock_;
  const std::string path_;
  const Events events_;
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer due_;
  boost::asio::steady_timer looking_;
  std::map<int, Watched> watched_;  // by inotify's watch descriptor
  RosterSettling settling_;
};

}  // namespace rota
