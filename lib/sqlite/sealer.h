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

// Names a store key without revealing it. Every sealed token has the id of its key beside it.
using KeyId = std::array<unsigned char, 8>;

using SealedBytes = std::vector<unsigned char>;
// A keyed hash of a member's record: nobody without the store key can change the record and make
// the hash that fits it.
using MemberSeal = std::array<unsigned char, 16>;

// Encrypts tokens for the disk, with keys derived from the store key. They are in guarded,
// read-only memory, which is locked against swap as far as RLIMIT_MEMLOCK allows. Several threads
// may call const methods at the same time, but not during bind_to().
class Sealer {
 public:
  // kInvalid if the key does not have kStoreKeyBytes bytes. kIo if there is no guarded memory, or
  // libsodium cannot start.
  static Result<Sealer> create(Secret store_key);

  const KeyId& key_id() const { return key_id_; }

  // From now on, seals of the third form and later are bound to this database.
  void bind_to(const DatabaseId& database) { database_ = database; }
  const DatabaseId& database() const { return database_; }

  // Sealing a token twice gives different bytes, since each time draws its own nonce.
  SealedBytes seal(const Secret& token, const TokenBinding& binding,
                   SealForm form = kNewestForm) const;
  // Nullopt if the bytes were sealed with another key, or for another binding, form or database, or
  // were changed since.
  std::optional<Secret> open(std::span<const unsigned char> sealed, const TokenBinding& binding,
                             SealForm form = kNewestForm) const;

  // The seal of a record, and whether `seal` is it. Not for the first form, which has none.
  MemberSeal seal(const MemberRecord& record, const MemberSalt& salt,
                  SealForm form = kNewestForm) const;
  bool holds(std::span<const unsigned char> seal, const MemberRecord& record,
             const MemberSalt& salt, SealForm form = kNewestForm) const;
  // Random bytes for a new member's row, and for a new database.
  static MemberSalt draw_salt();
  static DatabaseId draw_database_id();

  // How the audit trail names a token, in 16 hex digits. Without the store key nobody can tell
  // which token that is.
  std::string audit_name(Fingerprint token) const;

  // For backup_file.cc only.
  std::span<const unsigned char, 32> backup_key() const {
    return std::span<const unsigned char, 32>(backup_key_.get(), 32);
  }

  // A sealed constant that a database keeps. It tells a wrong store key from damaged rows. It also
  // says the form of all other seals, so that nobody can put in rows of an older form.
  SealedBytes seal_key_check(SealForm form = kNewestForm) const;
  // Nullopt if it was sealed with another key or for another database.
  std::optional<SealForm> form_of_key_check(std::span<const unsigned char> sealed) const;

 private:
  struct FreeGuarded {
    void operator()(unsigned char* bytes) const;
  };
  using GuardedKey = std::unique_ptr<unsigned char, FreeGuarded>;

  Sealer(GuardedKey key, GuardedKey audit_key, GuardedKey member_key, GuardedKey backup_key,
         KeyId key_id)
      : key_(std::move(key)),
        audit_key_(std::move(audit_key)),
        member_key_(std::move(member_key)),
        backup_key_(std::move(backup_key)),
        key_id_(key_id) {}
  static Result<GuardedKey> derive(std::uint64_t subkey, const Secret& store_key);

  SealedBytes seal_bytes(std::string_view plain, std::span<const unsigned char> bound) const;
  std::optional<Secret> open_bytes(std::span<const unsigned char> sealed,
                                   std::span<const unsigned char> bound) const;

  // Constant after create().
  GuardedKey key_;
  GuardedKey audit_key_;
  GuardedKey member_key_;
  GuardedKey backup_key_;
  KeyId key_id_;
  // Set by bind_to().
  DatabaseId database_{};
};

inline constexpr std::size_t kStoreKeyBytes = 32;

// A new random store key in its text form: 64 lower-case hex digits, without a newline. kIo if
// there is no randomness.
Result<Secret> generate_store_key();
// Reads that form into the key's 32 bytes. White space around it and upper case are allowed.
// kConfig if it is anything else; the message does not quote the text.
Result<Secret> parse_store_key(std::string_view text);

}  // namespace rota
