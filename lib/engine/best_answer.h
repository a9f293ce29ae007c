#pragma once

#include "base/time.h"
#include "engine/requests.h"
#include "model/record.h"
#include "plan/next_action.h"

namespace rota {

// The best answer that a client can get from this record now; pure. kServe: the current access
// token will do. `serving`: the time that a served token has to outlive, which is later than
// `circle` while Circle's time is in doubt. kUnavailable: `retry_after` lasts until the member may
// be tried again, a second at least and five minutes at most.
WaitAnswer best_answer(const MemberRecord& record, const Attempts& attempts,
                       const WaitRequest& request, WallTime serving, WallTime circle);

}  // namespace rota
