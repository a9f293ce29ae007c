#include <boost/asio/post.hpp>
#include <utility>

#include "rotator/rotator.h"

namespace rota {

void Rotator::back_up(std::move_only_function<void(Result<Backup>)> done) {
  if (!backed_up_) {
    backed_up_ = std::move(done);
    return continue_backup();
  }
  boost::asio::post(parts_.executor, [alive = alive_, done = std::move(done)]() mutable {
    if (*alive) done(fail(ErrorKind::kBusy, "another backup is under way: wait for its end"));
  });
}

// Each step is a turn of the store thread, so that commits come in between.
void Rotator::continue_backup() {
  boost::asio::post(store_thread_, [this, alive = alive_, executor = parts_.executor,
                                    wall = parts_.clock.now().wall]() mutable {
    auto result = parts_.store->continue_backup(wall);
    boost::asio::post(executor,
                      [this, alive = std::move(alive), result = std::move(result)]() mutable {
                        if (!*alive) return;
                        if (result && !*result) return continue_backup();
                        auto done = std::exchange(backed_up_, {});
                        if (!result) return done(std::unexpected(std::move(result).error()));
                        done(**std::move(result));
                      });
  });
}

}  // namespace rota
