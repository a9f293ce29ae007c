#pragma once

#include "base/time.h"
#include "engine/requests.h"
#include "model/record.h"
#include "plan/next_action.h"

namespace rota {

// The best answer that a client can get from this record now. Pure. `circle` is Circle's time;
// `serving` is the time at which a served token must still be alive, later than `circle` while
// Circle's time is in doubt (CircleClock::latest()). kServe: the record's current access token
// satisfies the request; of a wait for the
// identity: Circle has said who the member is. kUnavailable: `retry_after` is the time until Circle
// may be asked about the member again, from one second to five minutes.
WaitAnswer best_answer(const MemberRecord& record, const Attempts& attempts,
                       const WaitRequest& request, WallTime serving, WallTime circle);

}  // namespace rota
