#pragma once

#include "api/answer.h"
#include "base/result.h"
#include "engine/requests.h"
#include "model/audit.h"

namespace rota {

// How what became of an operator's or a client's order is answered: 200 with the report, 202 if it
// goes on, or the error that the end stands for.
PlainReply operation_reply(const OperatorReport& report);

// The entry of the audit trail that says who has asked for it.
AuditEvent event_of(OperatorAction action);

// The error of a service: kInvalid 409 not_possible · kConfig 422 config_invalid · kBusy, kIo,
// kFull 503 unavailable · kCorrupt, kBug 500 internal.
ErrorReply service_error(Error error);

}  // namespace rota
