#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// What Rota gives a client in the place of Circle's refresh token, which no client sees. Nothing is
// stored for it: the text itself says what it is good for, under a MAC. The MAC includes the
// member's login epoch, which is not in the text. So every handle of a member is dead once the
// member has another epoch, and all handles are dead once the store key has changed.
struct Handle {
  std::int64_t community_member_id = 0;
  std::int64_t community_id = 0;
  std::string holder;  // of the grant: "user:www-data". At most kHolderBytesMax bytes
  std::uint32_t number =
      0;                // how many of this member's handles for this holder were revoked before
  WallTime expires_at;  // Circle's clock; whole seconds

  bool operator==(const Handle&) const = default;
};

inline constexpr std::size_t kHandleKeyBytes = 32;
inline constexpr std::size_t kHolderBytesMax = 256;
// A longer text is no handle.
inline constexpr std::size_t kHandleTextBytesMax = 512;

// All of these are pure. `key` has kHandleKeyBytes bytes and `holder` at most kHolderBytesMax:
// make_handle() and read_handle() abort otherwise.

// Visible ASCII without quotes or backslashes. Drops what `expires_at` has below a second.
Secret make_handle(const Handle& handle, const LoginEpoch& epoch, const Secret& key);
// Whose handle the text says it is. Anybody can write such a text: only to look up the member,
// whose epoch read_handle() needs. Nullopt if it does not have the form of a handle.
std::optional<Handle> claims_of(std::string_view text);
// The handle, if it was made with this epoch and this key. Does not look at the time. Takes any
// bytes.
std::optional<Handle> read_handle(std::string_view text, const LoginEpoch& epoch,
                                  const Secret& key);

}  // namespace rota
