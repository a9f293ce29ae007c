#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rota {

inline constexpr std::size_t kCsvColumnsMax = 4'096;

struct CsvRecord {
  std::uint32_t line = 0;           // where it begins in the text, counted from 1
  std::vector<std::string> fields;  // at least one; an empty line has one, which is empty
};

// Reads a text as RFC 4180 describes CSV, one record at a time: commas between fields, fields with
// a comma, a quote (doubled) or a line end in quotes, and LF or CRLF at the end of each record. A
// byte order mark is skipped. Pure; memory for one record.
//
// It refuses what other readers guess at: a quote in a field without quotes, text after a closing
// quote, a carriage return alone, bytes that are not UTF-8, a NUL byte, and a last record without
// a line end, because a file that was cut off ends like that.
//
// Every error is kInvalid and "LINE: column NUMBER: what". It repeats nothing of the text, which
// may be a secret (P10).
class CsvReader {
 public:
  // The bytes of `text` must stay where they are.
  explicit CsvReader(std::string_view text);

  // Reads the next record into `record`; false at the end of the text. Do not call it again after
  // an error.
  Result<bool> next(CsvRecord& record);

 private:
  Result<void> read_field(std::size_t column, std::string& field);
  Result<void> read_bare(std::size_t column, std::string& field);
  Result<void> read_quoted(std::size_t column, std::string& field);
  bool at_line_end() const;
  std::unexpected<Error> error(std::size_t column, std::string_view what) const;

  const std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace rota
