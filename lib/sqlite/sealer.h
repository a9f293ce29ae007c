#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "base/secret.h"
#include "model/record.h"
#include "sqlite/bound_bytes.h"

namespace rota {

// Names a store key without being it; every sealed row carries that of its key.
using KeyId = std::array<unsigned char, 8>;

using SealedBytes = std::vector<unsigned char>;
// A keyed hash of a member's record: who has not the store key cannot change one and keep the
// other.
using MemberSeal = std::array<unsigned char, 16>;

// Encrypts tokens for the disk, with a key derived from the store key. That key lies in guarded,
// read-only memory, locked against swap as far as RLIMIT_MEMLOCK allows. Const methods may be
// called from several threads.
class Sealer {
 public:
  // kInvalid: the key is not 32 bytes. kIo: no memory for it.
  static Result<Sealer> create(Secret store_key);

  const KeyId& key_id() const { return key_id_; }

  // From here on seals of the third form are those of this database.
  void bind_to(const DatabaseId& database) { database_ = database; }
  const DatabaseId& database() const { return database_; }

  // The same token never gives the same bytes twice: each sealing draws its own nonce.
  SealedBytes seal(const Secret& token, const TokenBinding& binding,
                   SealForm form = SealForm::kThird) const;
  // None: sealed with another key or for another place, or changed since.
  std::optional<Secret> open(std::span<const unsigned char> sealed, const TokenBinding& binding,
                             SealForm form = SealForm::kThird) const;

  // Not of the first form.
  MemberSeal seal(const MemberRecord& record, const MemberSalt& salt,
                  SealForm form = SealForm::kThird) const;
  bool holds(std::span<const unsigned char> seal, const MemberRecord& record,
             const MemberSalt& salt, SealForm form = SealForm::kThird) const;
  // For a row that is made, and for a database.
  static MemberSalt draw_salt();
  static DatabaseId draw_database_id();

  // How the audit trail names a token, in 16 hex digits: without the store key nobody can tell
  // whether a token is the one.
  std::string audit_name(Fingerprint token) const;

  // A sealed constant that a database keeps, so that a wrong key is told from damaged rows, and
  // that names the form of the other seals, so that nobody passes off an older form as the newest.
  SealedBytes seal_key_check(SealForm form = SealForm::kThird) const;
  // None: not of this key, or of another database.
  std::optional<SealForm> form_of_key_check(std::span<const unsigned char> sealed) const;

 private:
  struct FreeGuarded {
    void operator()(unsigned char* bytes) const;
  };
  using GuardedKey = std::unique_ptr<unsigned char, FreeGuarded>;

  Sealer(GuardedKey key, GuardedKey audit_key, GuardedKey member_key, KeyId key_id)
      : key_(std::move(key)),
        audit_key_(std::move(audit_key)),
        member_key_(std::move(member_key)),
        key_id_(key_id) {}
  static Result<GuardedKey> derive(std::uint64_t subkey, const Secret& store_key);

  SealedBytes seal_bytes(std::string_view plain, std::span<const unsigned char> bound) const;
  std::optional<Secret> open_bytes(std::span<const unsigned char> sealed,
                                   std::span<const unsigned char> bound) const;

  GuardedKey key_;
  GuardedKey audit_key_;
  GuardedKey member_key_;
  KeyId key_id_;
  DatabaseId database_{};
};

inline constexpr std::size_t kStoreKeyBytes = 32;

// A new random store key in its text form: 64 lower-case hex digits, no newline. kIo: no
// randomness.
Result<Secret> generate_store_key();
// Reads that form; white space around it and upper case are allowed. kConfig says what is wrong
// without quoting the text.
Result<Secret> parse_store_key(std::string_view text);

}  // namespace rota
