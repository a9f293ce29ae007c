#pragma once

#include "base/result.h"
#include "store/token_store.h"

namespace rota {

// What every store refuses, whatever it is made of: an id that is not positive or the last of its
// range, and a token without a value. kInvalid; the message names the row.
Result<void> validate(const Mutation& mutation);

// PutToken for a member that is not there when its turn comes. kInvalid.
std::unexpected<Error> no_such_member(const PutToken& put);

}  // namespace rota
