#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace rota {

// Tells when the roster on disk may have changed, once it has been quiet for settle. Watches the
// folder, since an editor that renames a new file over the old one leaves a watch on the file
// itself behind. Loop thread only; safe to destroy at any time.
class RosterWatch {
 public:
  static constexpr Duration kSettle{300};

  // `path`: the roster's file, or its folder. kIo when the kernel gives no watch.
  static Result<std::unique_ptr<RosterWatch>> create(boost::asio::io_context& loop,
                                                     const std::string& path,
                                                     std::function<void()> changed);

 private:
  RosterWatch(boost::asio::io_context& loop, int fd, std::string name,
              std::function<void()> changed);
  void wait();
  bool concerns_roster();
  void settle();

  const std::string name_;  // of the file in the watched folder; empty: every file there
  const std::function<void()> changed_;
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer settling_;
};

}  // namespace rota
