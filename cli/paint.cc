#include "cli/paint.h"

#include <algorithm>
#include <array>

namespace rota::cli {
namespace {

struct Paint {
  std::string_view word;
  std::string_view begin;
};
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kEnd = "\x1b[0m";
constexpr std::array<Paint, 5> kPaints{{{"NOT READY", kRed},
                                        {"READY", kGreen},
                                        {"wrong ", kRed},
                                        {"note ", kYellow},
                                        {"good ", kGreen}}};

}  // namespace

std::string painted(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end == std::string_view::npos ? end : end + 1);
    text.remove_prefix(line.size());
    const auto* const paint = std::ranges::find_if(
        kPaints, [line](const Paint& each) { return line.starts_with(each.word); });
    if (paint != kPaints.end()) {
      result.append(paint->begin).append(paint->word).append(kEnd);
      line.remove_prefix(paint->word.size());
    }
    result.append(line);
  }
  return result;
}

}  // namespace rota::cli
