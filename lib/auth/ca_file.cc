#include "auth/ca_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/descriptor.h"

namespace rota {
namespace {

constexpr std::int64_t kCaFileBytesMax = 16 * 1024 * 1024;  // the system's whole store has 0.2 MB

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// Called only with an absolute path. A value that is not a path may be a secret that was put here
// by mistake, so no message repeats it.
std::unexpected<Error> bad(const std::string& path, std::string_view why) {
  return fail(ErrorKind::kConfig, fmt::format("ca_file {}: {}", path, why));
}

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  return time.tv_sec * kPerSecond + time.tv_nsec;
}

CaFileStamp stamp_of(const struct stat& file) {
  return {.device = file.st_dev,
          .inode = file.st_ino,
          .size = file.st_size,
          .modified_ns = nanoseconds(file.st_mtim),
          .changed_ns = nanoseconds(file.st_ctim)};
}

Result<std::string> read_all(const Descriptor& file, const std::string& path, std::int64_t size) {
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto n = ::read(file.get(), text.data() + have, text.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bad(path, std::strerror(errno));
    if (n == 0) return bad(path, "it became shorter while rotad read it");
    have += static_cast<std::size_t>(n);
  }
  return text;
}

// libcurl would notice a bad file only at the first connection, and would read a file without a
// certificate as "trust nobody".
Result<void> check_certificates(const std::string& path, const std::string& pem) {
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return fail(ErrorKind::kIo, "libcrypto: out of memory");
  int certificates = 0;
  ERR_clear_error();
  while (const std::unique_ptr<X509, FreeCertificate> certificate{
      PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    ++certificates;
  }
  const unsigned long why = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_LIB(why) != ERR_LIB_PEM || ERR_GET_REASON(why) != PEM_R_NO_START_LINE) {
    return bad(path, fmt::format("certificate {} in it cannot be parsed", certificates + 1));
  }
  if (certificates == 0) return bad(path, "it has no certificate in PEM form");
  return {};
}

}  // namespace

Result<std::shared_ptr<const CaFile>> read_ca_file(const std::string& path) {
  if (!path.starts_with('/')) {
    return fail(ErrorKind::kConfig, "ca_file must be an absolute path");
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return bad(path, std::strerror(errno));
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return bad(path, std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return bad(path, "it is not a regular file");
  if (about.st_size == 0) return bad(path, "it is empty");
  if (about.st_size > kCaFileBytesMax) return bad(path, "it is larger than 16 MiB");
  ROTA_ASSIGN(std::string pem, read_all(file, path, about.st_size));
  ROTA_TRY(check_certificates(path, pem));
  return std::make_shared<const CaFile>(std::move(pem), stamp_of(about));
}

Result<CaFileStamp> stamp_of_ca_file(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return bad(path, std::strerror(errno));
  return stamp_of(about);
}

}  // namespace rota
