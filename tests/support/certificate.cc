#include "tests/support/certificate.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace rota {

namespace fs = std::filesystem;

Certificate::Certificate(const std::string& names, const std::string& subject, Life life) {
  std::string pattern = (fs::temp_directory_path() / "rota-tls-XXXXXX").string();
  ROTA_CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  const std::string extension = names.empty() ? "" : "-addext subjectAltName=" + names;
  const std::string make = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj '{}' {} -keyout {} -out {} 2>/dev/null",
      subject, extension, key(), certificate());
  made_ = std::system(make.c_str()) == 0 && (life == Life::kNow || expire());
}

Certificate::~Certificate() { fs::remove_all(folder_); }

// Signs it again with its own key, for a day in 2024.
bool Certificate::expire() const {
  std::ofstream(folder_ + "/ca.conf")
      << "[ca]\ndefault_ca = x\n[x]\nrand_serial = yes\ndefault_md = sha256\npolicy = p\n"
      << "copy_extensions = copy\ndatabase = " << folder_ << "/index\nnew_certs_dir = " << folder_
      << "\n[p]\ncommonName = supplied\n";
  std::ofstream(folder_ + "/index").flush();
  const std::string make = fmt::format(
      "cd {} && openssl x509 -x509toreq -copy_extensions copy -in cert.pem -signkey key.pem "
      "-out request.pem 2>/dev/null && openssl ca -batch -selfsign -config ca.conf -keyfile "
      "key.pem -in request.pem -startdate 20240101000000Z -enddate 20240102000000Z -notext -out "
      "cert.pem 2>/dev/null",
      folder_);
  return std::system(make.c_str()) == 0;
}

}  // namespace rota
