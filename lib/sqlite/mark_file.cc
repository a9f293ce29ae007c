#include "sqlite/mark_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace rota {
namespace {

constexpr std::string_view kHead = "rota database ";
constexpr std::string_view kMiddle = " commit ";
constexpr std::size_t kDigits = 20;
constexpr std::size_t kIdAt = kHead.size();
constexpr std::size_t kMiddleAt = kIdAt + 2 * std::tuple_size_v<DatabaseId>;
constexpr std::size_t kCommitAt = kMiddleAt + kMiddle.size();
constexpr std::size_t kBytes = kCommitAt + kDigits + 1;

template <class Number>
bool read_number(std::string_view digits, int base, Number& out) {
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  return error == std::errc{} && end == digits.data() + digits.size();
}

}  // namespace

MarkFile::MarkFile(const std::filesystem::path& database) {
  std::filesystem::path path = database;
  path += ".mark";
  file_ =
      OpenFile(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
}

std::optional<MarkFile::Mark> MarkFile::read() const {
  std::array<char, kBytes + 1> bytes{};
  const ssize_t size = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
  if (size != ssize_t{kBytes}) return std::nullopt;
  const std::string_view text(bytes.data(), kBytes);
  if (!text.starts_with(kHead) || text.substr(kMiddleAt, kMiddle.size()) != kMiddle ||
      !text.ends_with('\n')) {
    return std::nullopt;
  }
  Mark mark;
  for (std::size_t i = 0; i < mark.database.size(); ++i) {
    if (!read_number(text.substr(kIdAt + 2 * i, 2), 16, mark.database.at(i))) return std::nullopt;
  }
  if (!read_number(text.substr(kCommitAt, kDigits), 10, mark.commit) || mark.commit < 0 ||
      mark.commit > kCommitMax) {
    return std::nullopt;
  }
  return mark;
}

void MarkFile::write(const Mark& mark) const {
  const std::string text = fmt::format("{}{:02x}{}{:0{}}\n", kHead, fmt::join(mark.database, ""),
                                       kMiddle, mark.commit, kDigits);
  [[maybe_unused]] const ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), 0);
}

}  // namespace rota
