#include "serve/turn_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rota {

void TurnQueue::enter(TurnTaker& taker, const PeerIdentity& peer) {
  TurnUser key = turn_user_of(peer);
  User& user = users_[key];
  user.key = std::move(key);
  ++user.connections;
  Process& process = user.processes[peer.pid];
  process.user = &user;
  process.pid = peer.pid;
  ++process.connections;
  process.all.push_back(taker);
  taker.process_ = &process;
}

void TurnQueue::leave(TurnTaker& taker) {
  taker.TurnLink::unlink();
  taker.MemberLink::unlink();
  auto* process = static_cast<Process*>(std::exchange(taker.process_, nullptr));
  ROTA_CHECK(process != nullptr);
  User& user = *process->user;
  if (--process->connections == 0) user.processes.erase(process->pid);
  if (--user.connections == 0) users_.erase(users_.find(user.key));
}

TurnQueue::Counts TurnQueue::counts(const PeerIdentity& peer) const {
  const auto user = users_.find(turn_user_of(peer));
  if (user == users_.end()) return {};
  const auto process = user->second.processes.find(peer.pid);
  return {.of_user = user->second.connections,
          .of_process = process == user->second.processes.end() ? 0 : process->second.connections};
}

std::optional<TurnQueue::Crowd> TurnQueue::largest(const std::optional<TurnUser>& of) const {
  const auto by_connections = [](const auto& a, const auto& b) {
    return a.second.connections < b.second.connections;
  };
  const auto user = of ? users_.find(*of) : std::ranges::max_element(users_, by_connections);
  if (user == users_.end()) return std::nullopt;
  const auto& processes = user->second.processes;
  const auto process = std::ranges::max_element(processes, by_connections);
  return Crowd{
      .user = user->first,
      .pid = process->first,
      .counts = {.of_user = user->second.connections, .of_process = process->second.connections}};
}

std::vector<TurnTaker*> TurnQueue::connections(const Crowd& crowd) {
  std::vector<TurnTaker*> all;
  for (TurnTaker& taker : users_.at(crowd.user).processes.at(crowd.pid).all) all.push_back(&taker);
  return all;
}

void TurnQueue::push(TurnTaker& taker) {
  if (taker.TurnLink::is_linked()) return;
  Process& process = *static_cast<Process*>(taker.process_);
  User& user = *process.user;
  process.waiting.push_back(taker);
  if (!process.is_linked()) user.waiting.push_back(process);
  if (!user.is_linked()) waiting_.push_back(user);
}

TurnTaker* TurnQueue::pop() {
  while (!waiting_.empty()) {
    User& user = waiting_.front();
    waiting_.pop_front();
    while (!user.waiting.empty()) {
      Process& process = user.waiting.front();
      user.waiting.pop_front();
      if (process.waiting.empty()) continue;
      TurnTaker& taker = process.waiting.front();
      process.waiting.pop_front();
      if (!process.waiting.empty()) user.waiting.push_back(process);
      if (!user.waiting.empty()) waiting_.push_back(user);
      return &taker;
    }
  }
  return nullptr;
}

}  // namespace rota
