#include "plan/servable.h"

#include "plan/identity.h"
#include "plan/next_action.h"

namespace rota {

const Token* servable(const MemberRecord& record) {
  if (record.state != MemberState::kActive || has_unresolved_name(record)) return nullptr;
  return current(record, TokenKind::kAccess);
}

}  // namespace rota
