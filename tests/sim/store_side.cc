#include "sim/store_side.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sim/world.h"
#include "support/outline.h"

namespace rota::sim {

StoreSide::StoreSide(World& world)
    : world_(world),
      random_(world.options().seed ^ 0x5705eU),
      openings_(world.options().seed ^ 0x09e4U) {}

void StoreSide::begin() {
  world_.repeat(world_.options().mean_between_full_disks, [this] {
    world_.note("full_disk");
    full_until_ = world_.time().now() + random_.up_to(std::chrono::minutes{12});
  });
}

bool StoreSide::full() const { return world_.time().now() < full_until_; }

Snapshot StoreSide::load() {
  auto snapshot = store_.load();
  ROTA_CHECK(snapshot.has_value());
  return *std::move(snapshot);
}

void StoreSide::commit(command::Commit batch) {
  if (committing_) world_.breach("P2: two batches are committed at once");
  if (!failed_.empty() && test::outline_of(failed_) != test::outline_of(batch.mutations)) {
    world_.breach("P2: a commit that failed is followed by another one than the same again");
  }
  committing_ = std::make_unique<std::vector<Mutation>>(std::move(batch.mutations));
  to_open_ = std::move(batch.to_open);
  world_.promises().on_commit();
  const bool slow = !world_.calm() && random_.fraction() < world_.options().slow_commit_rate;
  if (slow) world_.note("commit.slow");
  const Duration takes =
      slow ? random_.up_to(std::chrono::seconds{8}) : Duration{1} + random_.up_to(Duration{20});
  world_.in_process(takes, [this] { finish(); });
}

void StoreSide::finish() {
  const WorldOptions& options = world_.options();
  const bool bad = !world_.calm();
  // A roster is durable in part only for moments, and crashes must hit those moments too.
  constexpr double kBetweenSlices = 20;
  const double crash_rate =
      options.crash_at_commit_rate * (world_.engine().applies_roster() ? kBetweenSlices : 1);
  const bool crashes = bad && random_.fraction() < crash_rate;
  if (crashes) {
    // cut_off() decides whether the commit took effect.
    world_.crash("crash.at_commit");
    return;
  }
  const auto batch = std::move(committing_);
  if (full() || (bad && random_.fraction() < options.commit_failure_rate)) {
    fail(std::move(*batch));
    return;
  }
  failed_.clear();
  in_effect_ = false;
  apply(*batch);
  world_.note("commit");
  const auto opened = open_tokens();
  world_.turn([&](Commands& out) { world_.engine().on_committed(world_.now(), out, opened); });
  world_.promises().after_committed(*batch);
}

// Now and then the disk does not give a token that it has.
Result<OpenedTokens> StoreSide::open_tokens() {
  const bool bad = !world_.calm() && !to_open_.empty();
  if (bad && openings_.fraction() < world_.options().commit_failure_rate) {
    world_.note("open.failed");
    for (const TokenId id : to_open_) {
      if (const Token* token = durable_.token(id)) world_.promises().on_not_opened(*token);
    }
    return rota::fail(ErrorKind::kIo, "disk error");
  }
  return store_.open_tokens(to_open_);
}

void StoreSide::fail(std::vector<Mutation> batch) {
  world_.note("commit.failed");
  world_.promises().on_commit_failed();
  if (!full() && random_.below(3) == 0) {
    world_.note("commit.unclear");
    put_on_disk(batch);
    in_effect_ = true;
  }
  failed_ = std::move(batch);
  world_.turn([this](Commands& out) {
    const Error error{.kind = ErrorKind::kFull, .message = "disk full"};
    world_.engine().on_commit_failed(error, world_.now(), out);
  });
}

void StoreSide::cut_off() {
  const auto failed = std::exchange(failed_, {});
  if (std::exchange(in_effect_, false)) {
    committing_.reset();  // it is the same batch again
    world_.note("crash.after_unclear_commit");
    apply(failed);
    return;
  }
  if (!committing_) return;
  const auto batch = std::move(committing_);
  if (!full() && random_.below(2) == 0) {
    world_.note("crash.after_commit");
    apply(*batch);
  } else {
    world_.note("crash.before_commit");
  }
}

void StoreSide::put_on_disk(const std::vector<Mutation>& mutations) {
  const auto done = store_.commit(mutations);
  if (!done) world_.breach(fmt::format("P2: the store refuses a batch: {}", done.error().message));
}

void StoreSide::apply(const std::vector<Mutation>& batch) {
  put_on_disk(batch);
  std::vector<Mutation> mutations = batch;
  for (Mutation& mutation : mutations) fill_in(mutation);
  world_.promises().before_durable(mutations);
  for (const Mutation& mutation : mutations) durable_.apply(mutation);
  world_.promises().on_durable(mutations);
}

// The promises look at values, also of tokens whose value stays as it is on disk.
void StoreSide::fill_in(Mutation& mutation) const {
  auto* const put = std::get_if<PutToken>(&mutation);
  if (put == nullptr || put->token.value != nullptr) return;
  if (const Token* on_disk = durable_.token(put->token.id)) put->token.value = on_disk->value;
}

}  // namespace rota::sim
