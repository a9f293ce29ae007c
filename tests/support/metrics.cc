#include "support/metrics.h"

#include <fmt/format.h>

#include <charconv>
#include <regex>
#include <set>

namespace rota::testing {
namespace {

const char* const kHelp = "# HELP ([a-z][a-z0-9_]*) ([A-Z0-9][^\\\\]*\\.)";
const char* const kType = "# TYPE ([a-z][a-z0-9_]*) (gauge|counter|histogram)";
const char* const kSample =
    "([a-z][a-z0-9_]*)(\\{[a-z_]+=\"[^\"\\\\]*\"(?:,[a-z_]+=\"[^\"\\\\]*\")*\\})? (\\S+)";

class Reader {
 public:
  // What is wrong with this line; empty if nothing is.
  std::string take(const std::string& line) {
    static const std::regex help(kHelp);
    static const std::regex type(kType);
    static const std::regex sample(kSample);
    std::smatch parts;
    if (std::regex_match(line, parts, help)) return begin(parts[1]);
    if (std::regex_match(line, parts, type)) return set_type(parts[1], parts[2]);
    if (std::regex_match(line, parts, sample)) return add(parts[1], parts[2], parts[3]);
    return "is neither HELP nor TYPE nor a sample";
  }
  std::string end() const {
    if (samples_ == 0) return name_ + " has no sample";
    return type_ == "histogram" && least_ != 0 ? name_ + " ends without its _count" : "";
  }
  Metrics metrics;

 private:
  std::string begin(const std::string& name) {
    if (!name_.empty() && !end().empty()) return end();
    if (!names_.insert(name).second) return name + " stands twice";
    name_ = name;
    type_.clear();
    samples_ = 0;
    least_ = 0;
    return {};
  }
  std::string set_type(const std::string& name, const std::string& type) {
    if (name != name_ || !type_.empty()) return "a TYPE that does not follow its HELP";
    type_ = type;
    if ((type == "counter") != name.ends_with("_total"))
      return "counters, and only they, are _total";
    for (const char* unit : {"_ms", "_milliseconds", "_minutes", "_kilobytes", "_info_total"}) {
      if (name.ends_with(unit)) return "not in base units";
    }
    return {};
  }
  std::string add(const std::string& name, const std::string& labels, const std::string& number) {
    const bool histogram = type_ == "histogram";
    const std::string suffix = name.starts_with(name_) ? name.substr(name_.size()) : "?";
    const bool own =
        histogram ? suffix == "_bucket" || suffix == "_sum" || suffix == "_count" : suffix.empty();
    if (!own || type_.empty()) return "a sample outside of its metric";
    double value = 0;
    const char* last = number.data() + number.size();
    const auto [stop, status] = std::from_chars(number.data(), last, value);
    if (status != std::errc{} || stop != last) return "no number";
    if (type_ == "counter" && value < 0) return "a counter below 0";
    if (histogram) {
      if (const std::string wrong = follow(suffix, labels, value); !wrong.empty()) return wrong;
    }
    ++samples_;
    return metrics.emplace(name + labels, value).second ? "" : "a sample that stands twice";
  }

  // The buckets of one histogram only grow, up to its _count.
  std::string follow(const std::string& suffix, const std::string& labels, double value) {
    if (suffix == "_bucket") {
      if (!labels.contains("le=\"")) return "a bucket without its bound";
      if (value < least_) return "a bucket with less than the one before";
      least_ = value;
    } else if (suffix == "_count") {
      if (value != least_) return "a _count that is not the last bucket";
      least_ = 0;
    }
    return {};
  }

  std::set<std::string> names_;
  std::string name_;
  std::string type_;
  std::size_t samples_ = 0;
  double least_ = 0;  // the last bucket of a histogram
};

}  // namespace

std::expected<Metrics, std::string> parse_metrics(std::string_view text) {
  Reader reader;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::unexpected("the last line has no end");
    const std::string line(text.substr(0, end));
    const std::string wrong = reader.take(line);
    if (!wrong.empty()) return std::unexpected(fmt::format("line {}: {}: {}", number, wrong, line));
    text.remove_prefix(end + 1);
  }
  if (const std::string wrong = reader.end(); !wrong.empty()) return std::unexpected(wrong);
  return std::move(reader.metrics);
}

}  // namespace rota::testing
