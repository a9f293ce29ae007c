#include "auth/options.h"

#include "auth/ca_file.h"
#include "circle/base_url.h"

namespace rota {

Result<HeadlessAuthOptions> check_options(HeadlessAuthOptions options) {
  ROTA_ASSIGN(options.base_url, check_base_url(options.base_url));
  if (options.connect_timeout <= Duration{0} || options.request_timeout <= Duration{0}) {
    return fail(ErrorKind::kInvalid, "a timeout must be more than 0");
  }
  if (options.connections_max < 1) {
    return fail(ErrorKind::kInvalid, "at least one connection must be allowed");
  }
  if (!options.ca_file.empty()) ROTA_TRY(read_ca_file(options.ca_file));
  return options;
}

}  // namespace rota
