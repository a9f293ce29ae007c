#pragma once

#include <cstddef>
#include <string>

#include "engine/commands.h"

namespace rota {

// Writes a plan as JSON, a few keys at a time, because it may have as many keys as a roster has
// members. Pure.
class PlanWriter {
 public:
  // Goes on for at most `keys_max` more keys. `plan` must be the same one in every call. True: the
  // text is complete.
  bool write(const RosterPlan& plan, std::size_t keys_max);
  // The text; only after write() returned true.
  std::string take() { return std::move(text_); }

 private:
  static constexpr std::size_t kLists = 3;

  std::string text_;
  std::size_t list_ = 0;  // kLists: all are written
  std::size_t at_ = 0;    // in that list
};

}  // namespace rota
