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

// Tells when the roster on disk may have changed, once nobody has touched it for kSettle.
//
// What counts is the roster's stamp (lib/settings/secret_files.h) and what inotify tells of its
// names; that the stamp is looked at now and then, too, covers what no event tells: a folder that
// was made anew, a link somewhere on the way, a network's file system. A file that is being written
// is left alone until it is closed, and a change that comes while the roster is read has it read
// again. Loop thread only; safe to destroy at any time.
class RosterWatch {
 public:
  static constexpr Duration kSettle{300};
  // A file that somebody keeps open after writing to it is read when it has been quiet for so long.
  static constexpr Duration kWriterMax{30'000};
  // A roster that changes and changes is told of after this; it is not read, for it may be half.
  static constexpr Duration kUnsettledMax{30'000};
  static constexpr Duration kLookEvery{10'000};

  struct Events {
    std::function<void()> changed;    // read it now
    std::function<void()> unsettled;  // it changes too often to be read; once for each such time
  };

  // Notes every change from here on, so create it before the roster is read for the first time.
  // `path`: the roster's file, or its folder. kIo when the kernel gives no watch.
  static Result<std::unique_ptr<RosterWatch>> create(boost::asio::io_context& loop,
                                                     std::string path, Events events);

 private:
  // What a watched folder has of the roster: file names, and whether every *.toml in it counts.
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
  bool by_stamp_ = false;                          // what is settling was seen by its stamp alone
  std::set<std::pair<int, std::string>> writing_;  // files written to and not closed since
  std::optional<std::chrono::steady_clock::time_point> unsettled_since_;
  bool told_unsettled_ = false;
};

}  // namespace rota
