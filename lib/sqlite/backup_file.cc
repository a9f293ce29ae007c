// A backup:
//
//   file    := head stream-header[24] chunk+
//   head    := "rota backup 1\n" line* "\n"       in clear, at most 1 KiB
//   line    := name " " value "\n"                those of backup_head_text(), in that order
//   chunk   := crypto_secretstream_xchacha20poly1305 of 64 KiB of the database, or of its rest.
//              Each is bound to the head, to its place and to all chunks before it. The last one,
//              and no other, has the tag FINAL; after it the file ends.
//
// The stream is sealed whole, not only the tokens in it: a backup leaves the machine, and names and
// addresses of members are nobody's business either.

#include "sqlite/backup_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

namespace rota {
namespace {

constexpr std::string_view kMagic = "rota backup 1\n";
constexpr std::size_t kHeadBytesMax = 1'024;
constexpr std::size_t kChunkBytes = 65'536;
constexpr std::size_t kStreamHeaderBytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kSealBytes = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == 32);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <class Id>
std::string hex_of(const Id& id) {
  return fmt::format("{:02x}", fmt::join(id, ""));
}

template <class Number>
bool read_number(std::string_view digits, int base, Number& out) {
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  return error == std::errc{} && end == digits.data() + digits.size();
}

template <class Id>
bool read_hex(std::string_view hex, Id& out) {
  if (hex.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!read_number(hex.substr(2 * i, 2), 16, out.at(i))) return false;
  }
  return true;
}

// Takes the value of the line `name` from the beginning of `text`.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') {
    return std::nullopt;
  }
  text.remove_prefix(end + 1);
  return line.substr(name.size() + 1);
}

std::optional<BackupHead> read_head(std::string_view text) {
  if (!text.starts_with(kMagic)) return std::nullopt;
  text.remove_prefix(kMagic.size());
  BackupHead head;
  const auto made = take_line(text, "made");
  const auto at = made ? parse_iso8601(*made) : std::nullopt;
  const auto rota = at ? take_line(text, "rota") : std::nullopt;
  if (!rota) return std::nullopt;
  head.made_at = *at;
  head.rota = *rota;
  const std::pair<std::string_view, std::int64_t*> numbers[] = {{"schema", &head.schema},
                                                                {"community", &head.community},
                                                                {"members", &head.members},
                                                                {"commit", &head.commit}};
  for (const auto& [name, number] : numbers) {
    const auto value = take_line(text, name);
    if (!value || !read_number(*value, 10, *number)) return std::nullopt;
  }
  const auto database = take_line(text, "database");
  if (!database || !read_hex(*database, head.database)) return std::nullopt;
  const auto key = take_line(text, "key");
  if (!key || !read_hex(*key, head.key) || !text.starts_with('\n')) return std::nullopt;
  return head;
}

// Reads until the buffer is full or the file ends.
Result<std::size_t> read_up_to(const OpenFile& file, std::span<char> buffer,
                               const std::filesystem::path& path) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_failure(path, "cannot read", errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return used;
}

Result<void> write_to(const OpenFile& file, std::string_view bytes,
                      const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_failure(path, "cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// A new file that nobody else can read. What another attempt left there goes first.
Result<OpenFile> make_file(const std::filesystem::path& path) {
  ::unlink(path.c_str());
  OpenFile file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return os_failure(path, "cannot create", errno);
  return file;
}

// The state of an encryption or decryption, which has a key in it.
struct Cipher {
  Cipher() = default;
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  ~Cipher() { sodium_memzero(&state, sizeof state); }

  crypto_secretstream_xchacha20poly1305_state state{};
};

}  // namespace

struct BackupWriter::Stream {
  Cipher cipher;
  std::string plain = std::string(kChunkBytes, '\0');
  std::string sealed = std::string(kChunkBytes + kSealBytes, '\0');
};

std::string backup_head_text(const BackupHead& head) {
  return fmt::format(
      "{}made {}\nrota {}\nschema {}\ncommunity {}\nmembers {}\ncommit {}\ndatabase {}\nkey {}\n\n",
      kMagic, format_iso8601(head.made_at), head.rota, head.schema, head.community, head.members,
      head.commit, hex_of(head.database), hex_of(head.key));
}

Result<BackupHead> parse_backup_head(std::string_view text) {
  std::optional<BackupHead> head = read_head(text);
  // One way to write it: what is read is what was sealed.
  if (!head || !text.starts_with(backup_head_text(*head))) {
    return fail(ErrorKind::kCorrupt, "is not a backup of Rota's");
  }
  return *std::move(head);
}

BackupWriter::BackupWriter(std::string head, std::filesystem::path to)
    : head_(std::move(head)), to_(std::move(to)), stream_(std::make_unique<Stream>()) {}

BackupWriter::BackupWriter(BackupWriter&& other) noexcept
    : head_(other.head_),
      to_(std::exchange(other.to_, {})),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      stream_(std::move(other.stream_)),
      left_(other.left_),
      written_(other.written_) {}

BackupWriter::~BackupWriter() {
  if (!to_.empty()) ::unlink(to_.c_str());
}

Result<BackupWriter> BackupWriter::begin(const Sealer& sealer, const BackupHead& head,
                                         const std::filesystem::path& from,
                                         const std::filesystem::path& to) {
  OpenFile in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat found{};
  if (in.get() < 0 || ::fstat(in.get(), &found) != 0) return os_failure(from, "cannot read", errno);
  ROTA_ASSIGN(OpenFile out, make_file(to));
  BackupWriter writer(backup_head_text(head), to);
  writer.in_ = std::move(in);
  writer.out_ = std::move(out);
  writer.left_ = static_cast<std::uint64_t>(found.st_size);
  std::string stream_header(kStreamHeaderBytes, '\0');
  crypto_secretstream_xchacha20poly1305_init_push(
      &writer.stream_->cipher.state, reinterpret_cast<unsigned char*>(stream_header.data()),
      sealer.backup_key().data());
  ROTA_TRY(writer.write(writer.head_ + stream_header));
  return writer;
}

Result<void> BackupWriter::write(std::string_view bytes) {
  ROTA_TRY(write_to(out_, bytes, to_));
  written_ += bytes.size();
  return {};
}

Result<bool> BackupWriter::step(std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += kChunkBytes) {
    const std::size_t size = std::min<std::uint64_t>(kChunkBytes, left_);
    ROTA_ASSIGN(const std::size_t got, read_up_to(in_, std::span(stream_->plain).first(size), to_));
    if (got != size) return fail(ErrorKind::kIo, to_.string() + ": its source was cut");
    left_ -= size;
    const unsigned char tag = left_ == 0 ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                         : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    crypto_secretstream_xchacha20poly1305_push(
        &stream_->cipher.state, reinterpret_cast<unsigned char*>(stream_->sealed.data()), nullptr,
        bytes_of(stream_->plain), size, bytes_of(head_), head_.size(), tag);
    ROTA_TRY(write(std::string_view(stream_->sealed).substr(0, size + kSealBytes)));
    if (left_ > 0) continue;
    to_.clear();
    return true;
  }
  return false;
}

Result<BackupReader> BackupReader::open(const std::filesystem::path& path) {
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return os_failure(path, "cannot open", errno);
  std::string text(kHeadBytesMax, '\0');
  ROTA_ASSIGN(const std::size_t got, read_up_to(file, text, path));
  text.resize(got);
  auto head = parse_backup_head(text);
  if (!head)
    return fail(head.error().kind, fmt::format("{} {}", path.string(), head.error().message));
  std::string exact = backup_head_text(*head);
  return BackupReader(path, std::move(file), std::move(exact), *std::move(head));
}

Result<void> BackupReader::unseal(const Sealer& sealer, const std::filesystem::path& to) const {
  if (head_.key != sealer.key_id()) {
    return fail(ErrorKind::kConfig,
                fmt::format("{} was sealed with another store key: its key has the id {}, and this "
                            "one {}",
                            path_.string(), hex_of(head_.key), hex_of(sealer.key_id())));
  }
  ROTA_ASSIGN(const OpenFile out, make_file(to));
  Result<void> done = unseal_into(sealer, out, to);
  if (done && ::fsync(out.get()) != 0) done = os_failure(to, "cannot sync", errno);
  if (!done) ::unlink(to.c_str());
  return done;
}

Result<void> BackupReader::unseal_into(const Sealer& sealer, const OpenFile& out,
                                       const std::filesystem::path& to) const {
  const auto damaged = [this] {
    return fail(ErrorKind::kCorrupt,
                path_.string() + " was cut off or changed since it was made: take another backup");
  };
  if (::lseek(file_.get(), static_cast<off_t>(head_text_.size()), SEEK_SET) < 0) {
    return os_failure(path_, "cannot read", errno);
  }
  std::string stream_header(kStreamHeaderBytes, '\0');
  ROTA_ASSIGN(const std::size_t header_bytes, read_up_to(file_, stream_header, path_));
  Cipher cipher;
  if (header_bytes != kStreamHeaderBytes ||
      crypto_secretstream_xchacha20poly1305_init_pull(&cipher.state, bytes_of(stream_header),
                                                      sealer.backup_key().data()) != 0) {
    return damaged();
  }
  std::string sealed(kChunkBytes + kSealBytes, '\0');
  std::string plain(kChunkBytes, '\0');
  while (true) {
    ROTA_ASSIGN(const std::size_t got, read_up_to(file_, sealed, path_));
    unsigned char tag = 0;
    unsigned long long size = 0;  // NOLINT(google-runtime-int): libsodium's type
    if (got < kSealBytes ||
        crypto_secretstream_xchacha20poly1305_pull(
            &cipher.state, reinterpret_cast<unsigned char*>(plain.data()), &size, &tag,
            bytes_of(sealed), got, bytes_of(head_text_), head_text_.size()) != 0) {
      return damaged();
    }
    ROTA_TRY(write_to(out, std::string_view(plain).substr(0, size), to));
    if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL) break;
  }
  ROTA_ASSIGN(const std::size_t rest, read_up_to(file_, std::span(sealed).first(1), path_));
  return rest == 0 ? Result<void>{} : damaged();
}

}  // namespace rota
