#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"
#include "model/record.h"

namespace rota::cli {

// The record of a member as far as a roster is compared with it: its state, its names, and what the
// roster in force and clients say of each. `member`: JSON as of GET /v1/members. `id`: any number
// that no other record has. kCorrupt: it is not as this version of rotad writes it. Pure.
Result<MemberRecord> record_in_force(const boost::json::object& member, MemberId id);

}  // namespace rota::cli
