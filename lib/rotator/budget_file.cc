#include "rotator/budget_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/descriptor.h"
#include "base/fingerprint.h"

// The file of a group and a boot is PATH.BOOT: its words, and nothing else. The byte at
// kLocks + the member's place is locked while the member lives.
namespace rota {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = BudgetSheet::kWords * sizeof(std::uint64_t);
constexpr off_t kLocks = off_t{1} << 32;
constexpr Duration kLookEvery{5'000};
constexpr mode_t kMode = 0600;

std::unexpected<Error> failure(const std::string& path, std::string_view what) {
  const ErrorKind kind = errno == ENOSPC || errno == EDQUOT ? ErrorKind::kFull : ErrorKind::kIo;
  return fail(kind, fmt::format("{}: cannot {} it: {}", path, what, std::strerror(errno)));
}

// The words of a file in memory.
class Pages {
 public:
  static Result<Pages> map(const Descriptor& file, const std::string& path) {
    void* const at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (at == MAP_FAILED) return failure(path, "map");
    return Pages(at);
  }
  Pages(Pages&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() {
    if (at_ != nullptr) ::munmap(at_, kBytes);
  }
  BudgetSheet::Words words() const {
    return BudgetSheet::Words(static_cast<std::uint64_t*>(at_), BudgetSheet::kWords);
  }

 private:
  explicit Pages(void* at) : at_(at) {}
  void* at_;
};

std::string file_of(const std::string& path, const std::string& boot) {
  return fmt::format("{}.{}", path, boot);
}

// kIo: it is not ours, or not of the size that it must have; mapped, it could end this process.
Result<void> check_file(const Descriptor& file, const std::string& path) {
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return failure(path, "look at");
  if (!S_ISREG(found.st_mode) || found.st_uid != ::geteuid()) {
    return fail(ErrorKind::kIo, path + " belongs to another user, or is not a regular file");
  }
  if (std::cmp_not_equal(found.st_size, kBytes)) {
    return fail(ErrorKind::kIo, path + " has another size: it is damaged, or of another version");
  }
  return {};
}

struct flock byte_of(std::size_t place, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLocks + static_cast<off_t>(place);
  lock.l_len = 1;
  return lock;
}

// The files of this group that earlier boots left.
std::vector<fs::path> earlier_files(const std::string& path, const std::string& boot) {
  std::vector<fs::path> found;
  const std::string prefix = fs::path(path).filename().string() + ".";
  std::error_code error;
  for (const auto& each : fs::directory_iterator(fs::path(path).parent_path(), error)) {
    const std::string name = each.path().filename().string();
    if (!name.starts_with(prefix) || each.path() == file_of(path, boot)) continue;
    if (name.substr(prefix.size()).find('.') == std::string::npos) found.push_back(each.path());
  }
  return found;
}

}  // namespace

class BudgetFile::Mapping {
 public:
  Mapping(Descriptor file, Pages pages, const BudgetSheet::Terms& terms)
      : file_(std::move(file)), pages_(std::move(pages)), sheet(pages_.words(), terms) {}

  BudgetSheet::Alive alive() const {
    BudgetSheet::Alive alive;
    for (std::size_t place = 0; place < BudgetSheet::kMembersMax; ++place) {
      struct flock lock = byte_of(place, F_WRLCK);
      // If the kernel does not say, the member counts as alive: its calls stay taken.
      const bool known = ::fcntl(file_.get(), F_OFD_GETLK, &lock) == 0;
      alive[place] = place == place_ || !known || lock.l_type != F_UNLCK;
    }
    return alive;
  }
  // False: all places are taken.
  bool join(std::uint64_t identity, BootTime now) {
    for (const std::size_t place : sheet.places_for(identity, now, alive())) {
      struct flock lock = byte_of(place, F_WRLCK);
      if (::fcntl(file_.get(), F_OFD_SETLK, &lock) != 0) continue;
      place_ = place;
      sheet.join(place, identity, now);
      return true;
    }
    return false;
  }
  // Whether the file has been removed or changed by somebody else.
  bool is_gone() const {
    struct stat found{};
    return ::fstat(file_.get(), &found) != 0 || found.st_nlink == 0 ||
           std::cmp_not_equal(found.st_size, kBytes);
  }

 private:
  Descriptor file_;
  Pages pages_;
  std::size_t place_ = BudgetSheet::kMembersMax;

 public:
  BudgetSheet sheet;  // in pages_
};

struct BudgetFile::OwnPart {
  static constexpr std::size_t kLimitMin = 2;

  explicit OwnPart(const BudgetSheet::Terms& terms)
      : words(BudgetSheet::kWords),
        sheet(BudgetSheet::Words(words),
              {.limit = std::max(kLimitMin, terms.limit / BudgetSheet::kMembersMax),
               .window = terms.window}) {
    sheet.join(0, 1, BootTime{});
  }
  std::vector<std::uint64_t> words;
  BudgetSheet sheet;
};

BudgetFile::BudgetFile(Place place, BootTime now) : place_(std::move(place)) { attach(now); }
BudgetFile::~BudgetFile() = default;

// Complete before it has its name, so nobody sees a part of it, and only one of those who create it
// at one time gives it its name.
Result<void> BudgetFile::create() const {
  const std::string folder = fs::path(place_.path).parent_path().string();
  Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode));
  if (file.get() < 0) return failure(folder, "create a file in");
  // All its blocks, or a write through the memory could end this process on a full disk.
  if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(kBytes)); error != 0) {
    errno = error;
    return failure(folder, "create a file in");
  }
  ROTA_ASSIGN(const Pages pages, Pages::map(file, folder));
  BudgetSheet::format(pages.words());
  const auto earlier = earlier_files(place_.path, place_.boot);
  for (const fs::path& each : earlier) {
    const Descriptor old(::open(each.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (old.get() < 0 || !check_file(old, each.string())) continue;
    const auto old_pages = Pages::map(old, each.string());
    if (!old_pages || !BudgetSheet::is_sheet(old_pages->words(), BootTime{Duration::max() / 2}))
      continue;
    BudgetSheet::carry_over(old_pages->words(), pages.words(), place_.terms.window);
  }
  const std::string source = fmt::format("/proc/self/fd/{}", file.get());
  const std::string path = file_of(place_.path, place_.boot);
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0 &&
      errno != EEXIST) {
    return failure(path, "create");
  }
  for (const fs::path& each : earlier) ::unlink(each.c_str());
  return {};
}

Result<std::unique_ptr<BudgetFile::Mapping>> BudgetFile::open(BootTime now) const {
  const std::string path = file_of(place_.path, place_.boot);
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  Descriptor file(::open(path.c_str(), kFlags));
  if (file.get() < 0 && errno == ENOENT) {
    ROTA_TRY(create());
    file = Descriptor(::open(path.c_str(), kFlags));
  }
  if (file.get() < 0) return failure(path, "open");
  ROTA_TRY(check_file(file, path));
  ROTA_ASSIGN(Pages pages, Pages::map(file, path));
  if (!BudgetSheet::is_sheet(pages.words(), now)) {
    return fail(ErrorKind::kCorrupt, path + " is damaged, or of another version: remove it");
  }
  auto mapping = std::make_unique<Mapping>(std::move(file), std::move(pages), place_.terms);
  if (!mapping->join(std::max<Fingerprint>(1, fingerprint_of(place_.identity)), now)) {
    return fail(ErrorKind::kBusy,
                fmt::format("{} has {} members already", path, BudgetSheet::kMembersMax));
  }
  return mapping;
}

void BudgetFile::attach(BootTime now) {
  looked_at_ = now;
  auto opened = open(now);
  if (opened) {
    mapping_ = *std::move(opened);
    own_part_.reset();
    trouble_.clear();
    return;
  }
  mapping_.reset();
  trouble_ = std::move(opened).error().message;
  if (!own_part_) own_part_ = std::make_unique<OwnPart>(place_.terms);
}

BudgetSheet& BudgetFile::sheet() { return mapping_ ? mapping_->sheet : own_part_->sheet; }

BudgetSheet::Alive BudgetFile::alive() {
  return mapping_ ? mapping_->alive() : BudgetSheet::Alive(1);
}

bool BudgetFile::lost(BootTime now) {
  if (mapping_ && !mapping_->is_gone()) return false;
  if (!mapping_ && now < looked_at_ + kLookEvery) return false;
  const bool had_file = mapping_ != nullptr;
  attach(now);
  return had_file || mapping_ != nullptr;
}

CallCounts BudgetFile::take(const CallCounts& wanted, BootTime now) {
  return sheet().take(wanted, now, alive());
}

void BudgetFile::complete(std::size_t calls, BootTime now) { sheet().complete(calls, now); }

void BudgetFile::give_back(std::size_t calls) { sheet().give_back(calls); }

void BudgetFile::recall(std::span<const BootTime> ended, std::size_t under_way, BootTime now) {
  sheet().recall(ended, under_way, now);
}

SharedBudget::View BudgetFile::view(BootTime now) {
  View seen = sheet().view(now, alive());
  seen.name = fs::path(place_.path).filename().string();
  seen.trouble = trouble_;
  return seen;
}

}  // namespace rota
