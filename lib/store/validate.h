#pragma once

#include <map>

#include "base/result.h"
#include "store/token_store.h"

namespace rota {

// What every store refuses with kInvalid: to put a row whose id is not positive or is the last one
// of its range, an access token without a value, and enrolments or handle counts that are not
// sorted, or that are two for one client or holder, or without one. The message names the row.
Result<void> validate(const Mutation& mutation);

// The kInvalid error for a PutToken whose member is not on record at that point of the batch.
std::unexpected<Error> no_such_member(const PutToken& put);

// Finds the tokens that a batch would lose: put without a value although they are not on record. A
// batch that is repeated, because its first time looked like a failure, may put such a token and
// then erase it. Tell it of each mutation of the batch in order.
class LostTokens {
 public:
  // `is_on_record`: the token, at this point of the batch.
  void put(const PutToken& put, bool is_on_record);
  void erase(TokenId token) { lost_.erase(token); }
  void forget(MemberId member);
  // kInvalid, at the end of the batch: one is lost.
  Result<void> none() const;

 private:
  std::map<TokenId, MemberId> lost_;
};

}  // namespace rota
