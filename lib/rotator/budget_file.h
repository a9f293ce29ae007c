#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "plan/budget_sheet.h"
#include "plan/shared_budget.h"

namespace rota {

// A budget that the daemons of one group on this machine share through a file, which each of them
// maps (plan/budget_sheet.h). A lock on one byte of it says for each daemon that it lives; the
// kernel drops it when the process ends. No method waits for another process.
//
// While the file cannot be used, the daemon makes at most its safe part of the calls, and tries the
// file again every few seconds: a sixteenth, since a group has sixteen members at most, so all of
// them together stay within the budget.
class BudgetFile final : public SharedBudget {
 public:
  struct Place {
    std::string path;      // of the group's file; the last part is the group's name
    std::string identity;  // what is the same at each start of this daemon, and of no other one
    std::string boot;      // names this run of the kernel
    BudgetSheet::Terms terms;
  };

  // Opens the file, or creates it. Whether that worked, view().trouble says.
  BudgetFile(Place place, BootTime now);
  ~BudgetFile() override;
  BudgetFile(const BudgetFile&) = delete;
  BudgetFile& operator=(const BudgetFile&) = delete;

  CallCounts take(const CallCounts& wanted, BootTime now) override;
  void complete(std::size_t calls, BootTime now) override;
  void give_back(std::size_t calls) override;
  void recall(std::span<const BootTime> ended, std::size_t under_way, BootTime now) override;
  bool lost(BootTime now) override;
  View view(BootTime now) override;

 private:
  class Mapping;
  struct OwnPart;

  Result<std::unique_ptr<Mapping>> open(BootTime now) const;
  Result<void> create() const;
  void attach(BootTime now);
  BudgetSheet& sheet();
  BudgetSheet::Alive alive();

  const Place place_;
  std::unique_ptr<Mapping> mapping_;   // null: the file cannot be used
  std::unique_ptr<OwnPart> own_part_;  // in place of the file
  std::string trouble_;                // why
  BootTime looked_at_{};
};

}  // namespace rota
