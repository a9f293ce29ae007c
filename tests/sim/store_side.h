#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "engine/commands.h"
#include "sim/durable.h"
#include "support/memory_store.h"

namespace rota::sim {

class World;

// The disk. Its commits take time, fail, find the disk full, fail although they took effect, or are
// cut off by a crash just before or after they took effect.
class StoreSide {
 public:
  explicit StoreSide(World& world);

  void begin();
  Snapshot load();
  void commit(command::Commit batch);
  // The process has died: decides whether a commit under way has taken effect.
  void cut_off();
  void calm_down() { full_until_ = Duration{0}; }

  const Durable& durable() const { return durable_; }
  bool committing() const { return committing_ != nullptr; }
  bool full() const;

 private:
  void finish();
  void fail(std::vector<Mutation> batch);
  void apply(const std::vector<Mutation>& batch);
  void fill_in(Mutation& mutation) const;
  Result<OpenedTokens> open_tokens();
  void put_on_disk(const std::vector<Mutation>& mutations);

  World& world_;
  Random random_;
  Random openings_;
  MemoryStore store_;
  Durable durable_;
  std::unique_ptr<std::vector<Mutation>> committing_;
  std::vector<TokenId> to_open_;  // after that commit
  // The last commit if it failed: the process must make the same one again. `in_effect_`: it is on
  // disk all the same, but only a start would see it.
  std::vector<Mutation> failed_;
  bool in_effect_ = false;
  Duration full_until_{0};
};

}  // namespace rota::sim
