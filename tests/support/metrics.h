#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace rota::testing {

// Each sample as it stands on its line, `name{labels}`, with its value.
using Metrics = std::map<std::string, double>;

// A strict reader of Prometheus' text format and of its rules for names (what `promtool check
// metrics` looks for): each metric has one HELP, then one TYPE, then its samples and nothing else
// of another; counters, and only they, end in _total; no sample comes twice. The error names the
// line.
std::expected<Metrics, std::string> parse_metrics(std::string_view text);

}  // namespace rota::testing
