// What a client can send as a refresh token. No text is a handle of this key, and each that has the
// form of a handle says what it is about in one way only.

#include <string>
#include <string_view>

#include "api/handle.h"
#include "base/check.h"
#include "fuzz/target.h"

namespace rota::fuzz {
namespace {

void check(std::string_view text) {
  const Secret key(std::string(kHandleKeyBytes, 'k'));
  const LoginEpoch epoch{1, 2, 3};
  ROTA_CHECK(!read_handle(text, epoch, key));
  const auto claims = claims_of(text);
  if (!claims) return;
  const Secret genuine = make_handle(*claims, epoch, key);
  ROTA_CHECK(genuine.size() == text.size());
  ROTA_CHECK(read_handle(genuine.reveal(), epoch, key) == claims);
}

}  // namespace
}  // namespace rota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rota::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
