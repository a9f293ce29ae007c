#pragma once

#include "base/result.h"
#include "store/token_store.h"

namespace rota {

// What every store refuses with kInvalid: to put a row whose id is not positive or is the last one
// of its range, an access token without a value, and enrolments or handle counts that are not
// sorted, or that are two for one client or holder, or without one. The message names the row.
Result<void> validate(const Mutation& mutation);

// The kInvalid error for a PutToken whose member is not on record at that point of the batch.
std::unexpected<Error> no_such_member(const PutToken& put);

}  // namespace rota
