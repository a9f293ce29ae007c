#include "import/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rota {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr char kQuote = '"';

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(without_mark(text)) {}

Result<bool> CsvReader::next(CsvRecord& record) {
  if (at_ == text_.size()) return false;
  record.line = line_;
  std::size_t count = 0;
  for (bool more = true; more;) {
    if (count == kCsvColumnsMax) {
      return error(count, fmt::format("more than {} columns", kCsvColumnsMax));
    }
    if (count == record.fields.size()) record.fields.emplace_back();
    std::string& field = record.fields[count];
    field.clear();
    ROTA_TRY(read_field(++count, field));
    more = text_[at_] == ',';
    at_ += more || text_[at_] == '\n' ? 1 : 2;
  }
  ++line_;
  record.fields.resize(count);
  return true;
}

// Ends at the comma or the line end behind the field.
Result<void> CsvReader::read_field(std::size_t column, std::string& field) {
  const std::uint32_t first_line = line_;
  if (at_ < text_.size() && text_[at_] == kQuote) {
    ROTA_TRY(read_quoted(column, field));
  } else {
    ROTA_TRY(read_bare(column, field));
  }
  if (field.contains('\0')) return error(column, "has a NUL byte");
  if (!is_utf8(field)) return error(column, "is not UTF-8: save the file as UTF-8");
  if (at_ < text_.size()) return {};
  return fail(ErrorKind::kInvalid,
              fmt::format("{}: column {}: the file ends here without a line end: it may be cut "
                          "off; if it is whole, add a line end",
                          first_line, column));
}

Result<void> CsvReader::read_bare(std::size_t column, std::string& field) {
  std::size_t end = at_;
  while (end < text_.size() && text_[end] != ',' && text_[end] != '\n' && text_[end] != '\r') {
    if (text_[end] == kQuote) return error(column, "has a quote, but does not begin with one");
    ++end;
  }
  field.assign(text_.substr(at_, end - at_));
  at_ = end;
  if (at_ == text_.size() || text_[at_] == ',' || at_line_end()) return {};
  return error(column, "has a carriage return without a line feed");
}

Result<void> CsvReader::read_quoted(std::size_t column, std::string& field) {
  const std::uint32_t first_line = line_;
  ++at_;
  for (;;) {
    const std::size_t quote = text_.find(kQuote, at_);
    if (quote == std::string_view::npos) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{}: column {}: its quote is never closed: the file may be cut off",
                              first_line, column));
    }
    const std::string_view part = text_.substr(at_, quote - at_);
    field += part;
    line_ += static_cast<std::uint32_t>(std::ranges::count(part, '\n'));
    at_ = quote + 1;
    if (at_ == text_.size() || text_[at_] == ',' || at_line_end()) return {};
    if (text_[at_] != kQuote) return error(column, "has text after its closing quote");
    field += kQuote;
    ++at_;
  }
}

bool CsvReader::at_line_end() const {
  return text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n");
}

std::unexpected<Error> CsvReader::error(std::size_t column, std::string_view what) const {
  return fail(ErrorKind::kInvalid, fmt::format("{}: column {}: {}", line_, column, what));
}

}  // namespace rota
