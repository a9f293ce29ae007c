#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace rota::testing {

// Each sample as on its line, `name{labels}`, with its value.
using Metrics = std::map<std::string, double>;

// A strict reader of Prometheus' text format and its rules for names (those that `promtool check
// metrics` checks). Each metric has one HELP, then one TYPE, then its samples, all together.
// Counters, and only counters, end in _total. No sample comes twice. The error names the line.
std::expected<Metrics, std::string> parse_metrics(std::string_view text);

}  // namespace rota::testing
