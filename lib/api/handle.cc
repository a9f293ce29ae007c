// A handle on the wire:
//
//   handle := "rota1_" base64url-without-padding(claims mac)
//   claims := community-member-id[8] community-id[8] number[4] expiry[8] holder[n]
//   mac    := BLAKE2b(key, "rota handle v1" epoch[16] claims), 16 bytes of output
//
// Numbers are big-endian; the expiry is in seconds since 1970. The holder is what is left between
// the numbers and the MAC.

#include "api/handle.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <span>

#include "base/check.h"

namespace rota {
namespace {

constexpr std::string_view kPrefix = "rota1_";
constexpr std::string_view kPurpose = "rota handle v1";
constexpr std::size_t kNumbersBytes = 8 + 8 + 4 + 8;
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kBytesMax = kNumbersBytes + kHolderBytesMax + kMacBytes;
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
static_assert(kPrefix.size() + sodium_base64_ENCODED_LEN(kBytesMax, kVariant) <=
              kHandleTextBytesMax);
// Later than any time that a clock here can show, and far from the ends of WallTime.
constexpr std::int64_t kExpiryMax = 253'402'300'799;  // the end of the year 9999

using Mac = std::array<unsigned char, kMacBytes>;

// The bytes of a handle. They are wiped: whoever has them all has the handle.
struct Bytes {
  Bytes() = default;
  ~Bytes() { sodium_memzero(data.data(), data.size()); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  std::span<const unsigned char> claims() const { return std::span(data).first(size - kMacBytes); }
  std::span<const unsigned char> mac() const {
    return std::span(data).subspan(size - kMacBytes, kMacBytes);
  }

  std::array<unsigned char, kBytesMax> data{};
  std::size_t size = 0;
};

void put(std::uint64_t value, std::size_t count, Bytes& bytes) {
  for (std::size_t i = count; i > 0; --i) {
    bytes.data.at(bytes.size++) = static_cast<unsigned char>(value >> (8 * (i - 1)));
  }
}

std::uint64_t take(std::size_t count, std::span<const unsigned char>& bytes) {
  std::uint64_t value = 0;
  for (const unsigned char byte : bytes.first(count)) value = (value << 8U) | byte;
  bytes = bytes.subspan(count);
  return value;
}

Mac mac_of(std::span<const unsigned char> claims, const LoginEpoch& epoch, const Secret& key) {
  ROTA_CHECK(key.size() == kHandleKeyBytes);
  const auto* key_bytes = reinterpret_cast<const unsigned char*>(key.reveal().data());
  crypto_generichash_state state;
  Mac mac{};
  crypto_generichash_init(&state, key_bytes, key.size(), mac.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(kPurpose.data()),
                            kPurpose.size());
  crypto_generichash_update(&state, epoch.data(), epoch.size());
  crypto_generichash_update(&state, claims.data(), claims.size());
  crypto_generichash_final(&state, mac.data(), mac.size());
  sodium_memzero(&state, sizeof(state));
  return mac;
}

bool decode(std::string_view text, Bytes& bytes) {
  if (text.size() > kHandleTextBytesMax || !text.starts_with(kPrefix)) return false;
  text.remove_prefix(kPrefix.size());
  const char* end = nullptr;
  const int status = sodium_base642bin(bytes.data.data(), bytes.data.size(), text.data(),
                                       text.size(), nullptr, &bytes.size, &end, kVariant);
  return status == 0 && end == text.data() + text.size() && bytes.size >= kNumbersBytes + kMacBytes;
}

// Not by libsodium's base64, which takes as long as the MAC, so that no time tells what it encodes:
// here whoever can measure that gets the text.
Secret text_of(const Bytes& bytes) {
  constexpr std::size_t kTextBytesMax =
      kPrefix.size() + sodium_base64_ENCODED_LEN(kBytesMax, sodium_base64_VARIANT_URLSAFE);
  std::array<char, kTextBytesMax> text;
  char* const encoded = std::ranges::copy(kPrefix, text.begin()).out;
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded), bytes.data.data(),
                                     static_cast<int>(bytes.size));
  char* end = encoded + length;
  while (end[-1] == '=') --end;
  std::for_each(encoded, end, [](char& c) { c = c == '+' ? '-' : c == '/' ? '_' : c; });
  Secret secret(std::string_view(text.data(), end));
  sodium_memzero(text.data(), text.size());
  return secret;
}

std::optional<Handle> claims_in(const Bytes& bytes) {
  std::span<const unsigned char> rest = bytes.claims();
  Handle handle;
  const std::uint64_t member = take(8, rest);
  const std::uint64_t community = take(8, rest);
  handle.number = static_cast<std::uint32_t>(take(4, rest));
  const std::uint64_t expiry = take(8, rest);
  if (expiry > static_cast<std::uint64_t>(kExpiryMax)) return std::nullopt;
  handle.community_member_id = static_cast<std::int64_t>(member);
  handle.community_id = static_cast<std::int64_t>(community);
  handle.expires_at = WallTime{std::chrono::seconds{static_cast<std::int64_t>(expiry)}};
  handle.holder.assign(rest.begin(), rest.end());
  return handle;
}

}  // namespace

Secret make_handle(const Handle& handle, const LoginEpoch& epoch, const Secret& key) {
  ROTA_CHECK(handle.holder.size() <= kHolderBytesMax);
  const auto expiry =
      std::chrono::floor<std::chrono::seconds>(handle.expires_at).time_since_epoch().count();
  Bytes bytes;
  put(static_cast<std::uint64_t>(handle.community_member_id), 8, bytes);
  put(static_cast<std::uint64_t>(handle.community_id), 8, bytes);
  put(handle.number, 4, bytes);
  put(static_cast<std::uint64_t>(std::clamp<std::int64_t>(expiry, 0, kExpiryMax)), 8, bytes);
  const auto holder = std::ranges::copy(handle.holder, bytes.data.begin() + bytes.size).out;
  bytes.size = static_cast<std::size_t>(holder - bytes.data.begin());
  const Mac mac = mac_of(std::span(bytes.data).first(bytes.size), epoch, key);
  std::ranges::copy(mac, holder);
  bytes.size += mac.size();

  return text_of(bytes);
}

std::optional<Handle> claims_of(std::string_view text) {
  Bytes bytes;
  if (!decode(text, bytes)) return std::nullopt;
  return claims_in(bytes);
}

std::optional<Handle> read_handle(std::string_view text, const LoginEpoch& epoch,
                                  const Secret& key) {
  Bytes bytes;
  if (!decode(text, bytes)) return std::nullopt;
  const Mac right = mac_of(bytes.claims(), epoch, key);
  if (sodium_memcmp(right.data(), bytes.mac().data(), right.size()) != 0) return std::nullopt;
  return claims_in(bytes);
}

}  // namespace rota
