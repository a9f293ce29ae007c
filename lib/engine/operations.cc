#include "engine/operations.h"

namespace rota {

void Operations::begin(OperatorId op, OperatorAction action, BootTime now, Fingerprint token) {
  const BootTime deadline = now + kOperationMax;
  operations_.emplace(
      op, Operation{
              .action = action, .token = token, .members = {}, .deadline = deadline, .report = {}});
  deadlines_.emplace(deadline, op);
}

bool Operations::rename(OperatorId op, MemberId from, MemberId into) {
  auto& members = operations_.at(op).members;
  members.erase(from);
  return members.insert(into).second;
}

void Operations::note_revocation(OperatorId op, TokenKind kind, Fingerprint fingerprint,
                                 const std::string& result, bool alive) {
  Operation& operation = operations_.at(op);
  const bool is_access = kind == TokenKind::kAccess;
  const bool wanted = operation.action == OperatorAction::kRevoke ||
                      operation.action == OperatorAction::kEndEnrolment ||
                      (operation.action == OperatorAction::kSignOut && is_access) ||
                      (operation.action == OperatorAction::kRevokeToken && is_access &&
                       fingerprint == operation.token);
  if (!wanted) return;
  auto& lines = operation.report.revocations;
  const auto [place, is_new] = operation.line_of.try_emplace({kind, fingerprint}, lines.size());
  if (is_new) lines.push_back({.kind = kind, .fingerprint = fingerprint, .result = {}});
  RevocationLine& line = lines[place->second];
  line.result = result;
  line.alive = alive;
}

bool Operations::complete(OperatorId op, MemberId member, MemberState state, std::int64_t doubts,
                          OperationEnd end) {
  Operation& operation = operations_.at(op);
  operation.members.erase(member);
  OperatorReport& report = operation.report;
  report.doubts += doubts;
  // One member that is not done makes the whole command so.
  if (!is_success(end) || report.end == OperationEnd::kRunning) report.end = end;
  if (!operation.members.empty()) return false;
  report.state = state;
  operation.finished = true;
  return true;
}

bool Operations::complete_if_empty(OperatorId op, OperationEnd end) {
  Operation& operation = operations_.at(op);
  if (operation.finished || !operation.members.empty()) return false;
  operation.report.end = end;
  operation.finished = true;
  return true;
}

void Operations::give_up_on_disk(OperatorId op) {
  Operation& operation = operations_.at(op);
  if (operation.finished) operation.report.end = OperationEnd::kNotDurable;
}

std::vector<OperatorId> Operations::over(BootTime now, bool stopping) const {
  std::vector<OperatorId> over;
  for (const auto& [deadline, op] : deadlines_) {
    if (deadline > now && !stopping) break;
    if (deadline <= now || !operations_.at(op).finished) over.push_back(op);
  }
  return over;
}

std::vector<OperatorId> Operations::running() const {
  std::vector<OperatorId> running;
  for (const auto& [op, operation] : operations_) {
    if (!operation.finished) running.push_back(op);
  }
  return running;
}

std::optional<BootTime> Operations::first_deadline() const {
  return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

OperatorReport Operations::take(OperatorId op) {
  const auto it = operations_.find(op);
  OperatorReport report = std::move(it->second.report);
  deadlines_.erase({it->second.deadline, op});
  operations_.erase(it);
  return report;
}

}  // namespace rota
