#pragma once

#include <cstddef>
#include <string>

#include "engine/commands.h"

namespace rota {

// Writes a plan down as JSON, a few keys at a time: it may name as many members as a roster has.
class PlanWriter {
 public:
  // Goes on with the same plan, for at most `keys_max` keys more. True: that was all.
  bool write(const RosterPlan& plan, std::size_t keys_max);
  // Once write() said true.
  std::string take() { return std::move(text_); }

 private:
  static constexpr std::size_t kLists = 3;

  std::string text_;
  std::size_t list_ = 0;  // kLists: all are written
  std::size_t at_ = 0;    // in that list
};

}  // namespace rota
