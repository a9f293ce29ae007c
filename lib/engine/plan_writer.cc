#include "engine/plan_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace rota {

bool PlanWriter::write(const RosterPlan& plan, std::size_t keys_max) {
  using Keys = std::vector<MemberKey>;
  const std::array<std::pair<std::string_view, const Keys*>, kLists> lists{
      {{"add", &plan.add}, {"retire", &plan.retire}, {"change", &plan.change}}};
  if (text_.empty()) {
    text_ = fmt::format(R"({{"id":"{}","held":{},"add":[)", plan.id, plan.held);
  }
  for (; list_ < kLists; ++list_, at_ = 0) {
    const Keys& keys = *lists.at(list_).second;
    for (; at_ < keys.size(); ++at_) {
      if (keys_max-- == 0) return false;
      if (at_ > 0) text_ += ',';
      text_ += boost::json::serialize(boost::json::string_view(keys[at_].text()));
    }
    text_ += ']';
    if (list_ + 1 < kLists) text_ += fmt::format(R"(,"{}":[)", lists.at(list_ + 1).first);
  }
  text_ += fmt::format(R"(,"calls":{}}})", plan.calls);
  return true;
}

}  // namespace rota
