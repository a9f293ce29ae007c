#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "sim/durable.h"
#include "support/memory_store.h"

namespace rota::sim {

class World;

// The disk: commits that take their time, fail, find it full, fail though they took effect, or are
// cut off by a crash just before or just after they took effect.
class StoreSide {
 public:
  explicit StoreSide(World& world);

  void begin();
  Snapshot load();
  void commit(std::vector<Mutation> mutations);
  // The process is gone: a commit on its way has taken effect or has not.
  void cut_off();
  void calm_down() { full_until_ = Duration{0}; }

  const Durable& durable() const { return durable_; }
  bool committing() const { return committing_ != nullptr; }
  bool full() const;

 private:
  void finish();
  void fail(std::vector<Mutation> batch);
  void apply(const std::vector<Mutation>& mutations);
  void put_on_disk(const std::vector<Mutation>& mutations);

  World& world_;
  Random random_;
  MemoryStore store_;
  Durable durable_;
  std::unique_ptr<std::vector<Mutation>> committing_;
  // The last commit, if it failed: until the process knows better, the same one comes again. In
  // effect: it is on disk, and only a start would see it.
  std::vector<Mutation> failed_;
  bool in_effect_ = false;
  Duration full_until_{0};
};

}  // namespace rota::sim
