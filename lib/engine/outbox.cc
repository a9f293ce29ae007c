#include "engine/outbox.h"

#include <algorithm>
#include <iterator>
#include <variant>

#include "base/check.h"

namespace rota {

void Outbox::scrub() {
  if (!std::exchange(gathering_.scrubs, true)) change(Scrub{});
}

void Outbox::answer(WaitId wait, WaitAnswer answer) {
  gathering_.released.answers.insert_or_assign(wait, answer);
}

void Outbox::merged(MemberId from, MemberId into) {
  gathering_.merged.emplace(from, into);
  for (auto& [wait, answer] : gathering_.released.answers) {
    if (answer.member == from) answer.member = into;
  }
}

void Outbox::withdraw_answer(WaitId wait) {
  gathering_.released.answers.erase(wait);
  handed_out_.released.answers.erase(wait);
}

template <class Change>
std::vector<MemberId> Outbox::change_published(MemberId member, Change change) {
  std::vector<MemberId> shown{member};
  for (Batch* const batch : {&handed_out_, &gathering_}) {
    for (const auto& [from, into] : batch->merged) {
      if (owner_of(from) == member) shown.push_back(from);
    }
  }
  for (Batch* const batch : {&handed_out_, &gathering_}) {
    for (Command& command : batch->released.then) {
      auto* const publish = std::get_if<command::Publish>(&command);
      if (publish != nullptr && std::ranges::find(shown, publish->row.member) != shown.end()) {
        change(publish->row);
      }
    }
  }
  return shown;
}

std::vector<MemberId> Outbox::unserve(MemberId member, std::optional<Fingerprint> token) {
  return change_published(member, [token](Published& row) { row.drop_token(token); });
}

std::vector<MemberId> Outbox::keep_tags(MemberId member, const std::vector<std::string>& tags) {
  return change_published(member, [&tags](Published& row) { row.drop_tags_but(tags); });
}

void Outbox::withdraw_report(OperatorId op) {
  gathering_.released.reports.erase(op);
  handed_out_.released.reports.erase(op);
}

std::vector<command::Reloaded> Outbox::withdraw_reloaded() {
  std::vector<command::Reloaded> withdrawn;
  for (Batch* const batch : {&handed_out_, &gathering_}) {
    std::erase_if(batch->released.then, [&withdrawn](Command& command) {
      auto* reloaded = std::get_if<command::Reloaded>(&command);
      if (reloaded == nullptr) return false;
      withdrawn.push_back(std::move(*reloaded));
      return true;
    });
  }
  return withdrawn;
}

std::vector<Mutation> Outbox::begin(std::vector<Mutation> closing, BootTime now) {
  ROTA_CHECK(state_ == State::kIdle && has_changes() && gathering_.has_the_rows_of_its_calls());
  handed_out_ = std::exchange(gathering_, {});
  std::ranges::move(closing, std::back_inserter(handed_out_.changes));
  state_ = State::kRunning;
  handed_out_at_ = now;
  return handed_out_.changes;
}

std::vector<Mutation> Outbox::again(BootTime now) {
  ROTA_CHECK(state_ == State::kRetrying);
  state_ = State::kRunning;
  handed_out_at_ = now;
  return handed_out_.changes;
}

Outbox::Released Outbox::release_unchanged() {
  ROTA_CHECK(state_ == State::kIdle && !has_changes() && gathering_.released.calls.empty());
  return std::exchange(gathering_, {}).released;
}

Outbox::Released Outbox::committed() {
  ROTA_CHECK(state_ == State::kRunning);
  state_ = State::kIdle;
  failures_ = 0;
  error_.reset();
  return std::exchange(handed_out_, {}).released;
}

bool Outbox::failed(const Error& error, BootTime retry_at) {
  ROTA_CHECK(state_ == State::kRunning);
  state_ = State::kRetrying;
  ++failures_;
  retry_at_ = retry_at;
  const bool is_news = !error_;
  error_ = error;
  return is_news;
}

std::size_t Outbox::held_back() const {
  const auto of = [](const Batch& batch) {
    return batch.released.answers.size() + batch.released.reports.size();
  };
  return of(gathering_) + of(handed_out_);
}

MemberId Outbox::owner_of(MemberId shown) const {
  for (const Batch* const batch : {&handed_out_, &gathering_}) {
    for (auto it = batch->merged.find(shown); it != batch->merged.end();
         it = batch->merged.find(shown)) {
      shown = it->second;
    }
  }
  return shown;
}

Duration Outbox::running_for(BootTime now) const {
  return state_ == State::kRunning ? now - handed_out_at_ : Duration{0};
}

bool Outbox::Batch::is_empty() const {
  return changes.empty() && released.then.empty() && released.calls.empty() &&
         released.answers.empty() && released.reports.empty();
}

bool Outbox::Batch::has_the_rows_of_its_calls() const {
  auto next = released.calls.begin();
  for (const Mutation& change : changes) {
    if (next == released.calls.end()) return true;
    const auto* put = std::get_if<PutCall>(&change);
    if (put != nullptr && put->row.id == *next) ++next;
  }
  return next == released.calls.end();
}

}  // namespace rota
