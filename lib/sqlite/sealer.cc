// Sealed bytes, as a row holds them:
//
//   sealed     := nonce[24] ciphertext[n] tag[16]        XChaCha20-Poly1305-IETF
//   token       is bound to: see bound_bytes.cc
//   key check   is bound to: "rota key check v1" or "v2" by the form of the seals, or
//                            "rota key check v3" or "v4" database-id[16]
//
//   member seal := BLAKE2b(member key, bytes of bound_bytes.cc), 16 bytes of output
//   audit name  := the first 8 of the 16 bytes of
//                  BLAKE2b(audit key, "rota audit v1" first-64-bits-of-SHA-256[8])
//
// The store key itself encrypts nothing. The sealing key, the audit key, the member key, the backup
// key (backup_file.cc) and the key id are derived from it (keyed BLAKE2b, crypto_kdf), so the key
// id tells nothing about the other keys.

#include "sqlite/sealer.h"

#include <sodium.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kStoreKeyBytes == crypto_kdf_KEYBYTES);

constexpr char kDerivation[crypto_kdf_CONTEXTBYTES + 1] = "RotaSeal";
constexpr std::uint64_t kSealingSubkey = 1;
constexpr std::uint64_t kKeyIdSubkey = 2;
constexpr std::uint64_t kAuditSubkey = 3;
constexpr std::uint64_t kMemberSubkey = 4;
constexpr std::uint64_t kBackupSubkey = 5;

constexpr std::string_view kAuditTag = "rota audit v1";
constexpr std::string_view kKeyCheckText = "rota";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string key_check_tag(SealForm form, const DatabaseId& database) {
  switch (form) {
    case SealForm::kFirst:
      return "rota key check v1";
    case SealForm::kSecond:
      return "rota key check v2";
    case SealForm::kThird:
      return "rota key check v3" + std::string(database.begin(), database.end());
    case SealForm::kFourth:
      return "rota key check v4" + std::string(database.begin(), database.end());
  }
  ROTA_CHECK(false);
}

std::span<const unsigned char> span_of(std::string_view text) {
  return {bytes_of(text), text.size()};
}

std::span<const unsigned char> span_of(const TokenBound& bound) {
  return std::span(bound.bytes).first(bound.size);
}

// May be called again, and from any thread.
Result<void> start_sodium() {
  if (sodium_init() < 0) return fail(ErrorKind::kIo, "libsodium cannot start: no randomness");
  return {};
}

}  // namespace

void Sealer::FreeGuarded::operator()(unsigned char* bytes) const { sodium_free(bytes); }

Result<Sealer> Sealer::create(Secret store_key) {
  ROTA_TRY(start_sodium());
  if (store_key.size() != kStoreKeyBytes) {
    return fail(ErrorKind::kInvalid, "a store key has 32 bytes");
  }
  const unsigned char* master = bytes_of(store_key.reveal());

  ROTA_ASSIGN(GuardedKey key, derive(kSealingSubkey, store_key));
  ROTA_ASSIGN(GuardedKey audit_key, derive(kAuditSubkey, store_key));
  ROTA_ASSIGN(GuardedKey member_key, derive(kMemberSubkey, store_key));
  ROTA_ASSIGN(GuardedKey backup_key, derive(kBackupSubkey, store_key));

  std::array<unsigned char, crypto_kdf_BYTES_MIN> named{};
  crypto_kdf_derive_from_key(named.data(), named.size(), kKeyIdSubkey, kDerivation, master);
  KeyId key_id{};
  std::copy_n(named.begin(), key_id.size(), key_id.begin());
  return Sealer(std::move(key), std::move(audit_key), std::move(member_key), std::move(backup_key),
                key_id);
}

Result<Sealer::GuardedKey> Sealer::derive(std::uint64_t subkey, const Secret& store_key) {
  // sodium_malloc() locks the pages if it is allowed to, and goes on if it is not.
  GuardedKey key(static_cast<unsigned char*>(sodium_malloc(kKeyBytes)));
  if (!key) return fail(ErrorKind::kIo, "no guarded memory for the store key");
  crypto_kdf_derive_from_key(key.get(), kKeyBytes, subkey, kDerivation,
                             bytes_of(store_key.reveal()));
  sodium_mprotect_readonly(key.get());
  return key;
}

std::string Sealer::audit_name(Fingerprint token) const {
  std::array<unsigned char, kAuditTag.size() + 8> input{};
  put_integer(static_cast<std::int64_t>(token), std::ranges::copy(kAuditTag, input.data()).out);
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(digest.data(), digest.size(), input.data(), input.size(), audit_key_.get(),
                     kKeyBytes);
  Fingerprint name = 0;
  for (std::size_t i = 0; i < sizeof name; ++i) name = (name << 8U) | digest.at(i);
  return format_fingerprint(name);
}

SealedBytes Sealer::seal(const Secret& token, const TokenBinding& binding, SealForm form) const {
  return seal_bytes(token.reveal(), span_of(bound_bytes(binding, form, database_)));
}

std::optional<Secret> Sealer::open(std::span<const unsigned char> sealed,
                                   const TokenBinding& binding, SealForm form) const {
  return open_bytes(sealed, span_of(bound_bytes(binding, form, database_)));
}

MemberSeal Sealer::seal(const MemberRecord& record, const MemberSalt& salt, SealForm form) const {
  static_assert(std::tuple_size_v<MemberSeal> >= crypto_generichash_BYTES_MIN);
  const std::string bytes = bound_bytes(record, salt, form, database_);
  MemberSeal seal{};
  crypto_generichash(seal.data(), seal.size(), bytes_of(bytes), bytes.size(), member_key_.get(),
                     kKeyBytes);
  return seal;
}

bool Sealer::holds(std::span<const unsigned char> seal, const MemberRecord& record,
                   const MemberSalt& salt, SealForm form) const {
  const MemberSeal right = this->seal(record, salt, form);
  return seal.size() == right.size() && sodium_memcmp(seal.data(), right.data(), right.size()) == 0;
}

MemberSalt Sealer::draw_salt() {
  MemberSalt salt{};
  randombytes_buf(salt.data(), salt.size());
  return salt;
}

DatabaseId Sealer::draw_database_id() { return draw_salt(); }

SealedBytes Sealer::seal_key_check(SealForm form) const {
  return seal_bytes(kKeyCheckText, span_of(key_check_tag(form, database_)));
}

std::optional<SealForm> Sealer::form_of_key_check(std::span<const unsigned char> sealed) const {
  for (const SealForm form :
       {SealForm::kFourth, SealForm::kThird, SealForm::kSecond, SealForm::kFirst}) {
    const std::optional<Secret> text = open_bytes(sealed, span_of(key_check_tag(form, database_)));
    if (text && text->reveal() == kKeyCheckText) return form;
  }
  return std::nullopt;
}

SealedBytes Sealer::seal_bytes(std::string_view plain, std::span<const unsigned char> bound) const {
  SealedBytes sealed(kNonceBytes + plain.size() + kTagBytes);
  randombytes_buf(sealed.data(), kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonceBytes, nullptr, bytes_of(plain),
                                             plain.size(), bound.data(), bound.size(), nullptr,
                                             sealed.data(), key_.get());
  return sealed;
}

std::optional<Secret> Sealer::open_bytes(std::span<const unsigned char> sealed,
                                         std::span<const unsigned char> bound) const {
  if (sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::span<const unsigned char> text = sealed.subspan(kNonceBytes);
  std::string plain(text.size() - kTagBytes, '\0');
  const int refused = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, text.data(), text.size(),
      bound.data(), bound.size(), sealed.data(), key_.get());
  if (refused != 0) return std::nullopt;
  return Secret::take(std::move(plain));
}

Result<Secret> generate_store_key() {
  ROTA_TRY(start_sodium());
  std::string key(kStoreKeyBytes, '\0');
  std::string text(2 * kStoreKeyBytes + 1, '\0');  // with the zero that sodium writes
  randombytes_buf(key.data(), key.size());
  sodium_bin2hex(text.data(), text.size(), bytes_of(key), key.size());
  wipe(key);
  Secret result{std::string_view(text).substr(0, 2 * kStoreKeyBytes)};
  wipe(text);
  return result;
}

Result<Secret> parse_store_key(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return fail(ErrorKind::kConfig, "the store key is empty");
  text = text.substr(first, text.find_last_not_of(kSpace) - first + 1);

  std::string key(kStoreKeyBytes, '\0');
  std::size_t read = 0;
  const bool right = text.size() == 2 * kStoreKeyBytes &&
                     sodium_hex2bin(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                                    text.data(), text.size(), nullptr, &read, nullptr) == 0 &&
                     read == kStoreKeyBytes;
  Secret result = Secret::take(std::move(key));
  if (!right) {
    return fail(ErrorKind::kConfig,
                "the store key must be 64 hex digits, as rotad keygen prints them");
  }
  return result;
}

}  // namespace rota
