#include "daemon/files_in_force.h"

#include <utility>

namespace rota {
namespace {

// One each for a reload, a change, a plan and the watch.
constexpr std::size_t kFileJobsMax = 16;

}  // namespace

FilesInForce::FilesInForce(Parts parts, AtStart at_start)
    : grants_({.loop = parts.loop, .log = parts.log, .notes = parts.notes, .readings = readings_},
              at_start.settings.grants, std::move(at_start.names)),
      clients_({.log = parts.log, .notes = parts.notes}, at_start.settings),
      files_(kFileJobsMax, parts.loop.get_executor()),
      roster_({.loop = parts.loop,
               .clock = parts.clock,
               .log = parts.log,
               .files = files_,
               .notes = parts.notes,
               .readings = readings_,
               .grants = grants_,
               .rotator = parts.rotator,
               .hidden = parts.hidden},
              at_start.settings.roster, at_start.config_path),
      reloads_({.loop = parts.loop,
                .log = parts.log,
                .files = files_,
                .notes = parts.notes,
                .readings = readings_,
                .grants = grants_,
                .clients = clients_,
                .roster = roster_,
                .rotator = parts.rotator,
                .client = parts.client,
                .hidden = parts.hidden},
               std::move(at_start.settings), at_start.app_token, at_start.config_path) {}

void FilesInForce::watch(Events events) {
  reloads_.on_events(
      {.began = std::move(events.reload_began), .ended = std::move(events.reload_ended)});
  roster_.watch(std::move(events.change_settled));
}

void FilesInForce::stop() {
  roster_.stop();
  grants_.stop();
}

}  // namespace rota
