#include "deliver/deliveries.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rota::deliver {
namespace {

Duration retry_delay(int failures, Duration cap) {
  Duration delay = kRetryFirst;
  for (int i = 1; i < failures && delay < cap; ++i) delay *= 2;
  return std::min(delay, cap);
}

void keep_earlier(std::optional<BootTime>& earliest, BootTime time) {
  earliest = earliest ? std::min(*earliest, time) : time;
}

}  // namespace

Deliveries::Deliveries(std::vector<FileOrder> orders, Told told) : told_(std::move(told)) {
  for (FileOrder& order : orders) {
    File file{.order = std::move(order)};
    if (!file.order.run.empty()) {
      auto run = std::ranges::find(runs_, file.order.run, &Program::program);
      if (run == runs_.end()) run = runs_.insert(run, {.program = file.order.run});
      run->files.push_back(files_.size());
      file.run = static_cast<std::size_t>(run - runs_.begin());
    }
    files_.push_back(std::move(file));
  }
}

void Deliveries::enter(File& file, FileState state, BootTime now) {
  file.state = state;
  file.due = now;
  file.failures = 0;
}

void Deliveries::on_content(std::size_t file, const TokenDigest& content, BootTime expires,
                            BootTime now) {
  File& at = files_[file];
  if (stopping_) return;
  if (expires <= now) return on_gone(file, now);
  at.expires = expires;
  if (has_content(at) && at.content == content) return;
  at.content = content;
  enter(at, FileState::kToWrite, now);
}

void Deliveries::on_gone(std::size_t file, BootTime now) {
  File& at = files_[file];
  if (stopping_ || at.state == FileState::kToRemove || at.state == FileState::kRemoved) return;
  enter(at, FileState::kToRemove, now);
}

bool Deliveries::owed(const File& file) const {
  if (file.state != FileState::kWritten || !file.run) return false;
  const auto told = told_.find(file.order.path);
  return told == told_.end() || told->second != file.content;
}

void Deliveries::failed(File& file, BootTime now) {
  ++file.failures;
  file.due = now + retry_delay(file.failures, kWriteRetryMax);
}

void Deliveries::on_written(std::size_t file, bool good, BootTime now) {
  File& at = files_[file];
  if (at.state != FileState::kToWrite) return;
  if (!good) return failed(at, now);
  enter(at, FileState::kWritten, now);
  if (!owed(at)) return;
  Program& run = runs_[*at.run];
  if (run.state != RunState::kIdle) return;
  run.state = RunState::kDue;
  run.due = now + kRunDelay;
}

void Deliveries::on_removed(std::size_t file, bool good, BootTime now) {
  File& at = files_[file];
  if (at.state != FileState::kToRemove) return;
  if (!good) return failed(at, now);
  enter(at, FileState::kRemoved, now);
}

void Deliveries::start(Program& program) {
  program.shown.clear();
  for (const std::size_t file : program.files) {
    if (owed(files_[file])) program.shown.emplace(file, files_[file].content);
  }
  program.state = program.shown.empty() ? RunState::kIdle : RunState::kRunning;
  if (program.shown.empty()) program.failures = 0;
}

void Deliveries::on_run_end(std::size_t run, bool good, BootTime now) {
  Program& program = runs_[run];
  if (good) {
    for (const auto& [file, content] : program.shown) told_[files_[file].order.path] = content;
  }
  program.shown.clear();
  program.failures = good ? 0 : program.failures + 1;
  program.state = RunState::kIdle;
  const auto is_owed = [this](std::size_t file) { return owed(files_[file]); };
  if (stopping_ || std::ranges::none_of(program.files, is_owed)) return;
  program.state = RunState::kDue;
  program.due = now + (good ? kRunDelay : retry_delay(program.failures, kRunRetryMax));
}

void Deliveries::on_stop(BootTime now) {
  if (stopping_) return;
  stopping_ = true;
  for (File& file : files_) {
    if (file.state == FileState::kRemoved || file.state == FileState::kToRemove) continue;
    enter(file, file.order.keep ? FileState::kLeft : FileState::kToRemove, now);
  }
  for (Program& program : runs_) {
    if (program.state == RunState::kDue) program.state = RunState::kIdle;
  }
}

std::vector<Deed> Deliveries::due(BootTime now) {
  std::vector<Deed> deeds;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    File& file = files_[i];
    if (has_content(file) && file.expires <= now) enter(file, FileState::kToRemove, now);
    if (file.due > now) continue;
    if (file.state == FileState::kToWrite) deeds.emplace_back(Write{i});
    if (file.state == FileState::kToRemove) deeds.emplace_back(Remove{i});
  }
  // A program sees all of them, so it is not run twice.
  if (!deeds.empty()) return deeds;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i].state != RunState::kDue || runs_[i].due > now) continue;
    start(runs_[i]);
    if (runs_[i].state == RunState::kRunning) deeds.emplace_back(Run{i});
  }
  return deeds;
}

std::optional<BootTime> Deliveries::next_due() const {
  std::optional<BootTime> earliest;
  for (const File& file : files_) {
    if (has_content(file)) keep_earlier(earliest, file.expires);
    const bool acts = file.state == FileState::kToWrite || file.state == FileState::kToRemove;
    if (acts) keep_earlier(earliest, file.due);
  }
  for (const Program& program : runs_) {
    if (program.state == RunState::kDue) keep_earlier(earliest, program.due);
  }
  return earliest;
}

bool Deliveries::settled() const {
  return std::ranges::all_of(files_, [](const File& file) {
    switch (file.state) {
      case FileState::kUnheard:
      case FileState::kToWrite:
      case FileState::kToRemove:
        return false;
      case FileState::kWritten:
      case FileState::kRemoved:
      case FileState::kLeft:
        return true;
    }
    ROTA_CHECK(false);
  });
}

}  // namespace rota::deliver
