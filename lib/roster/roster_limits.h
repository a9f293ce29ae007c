#pragma once

#include <cstddef>

namespace rota {

inline constexpr std::size_t kRosterEntriesMax = 1'000'000;

// Limits of one entry. (kMemberKeyBytesMax is in model/member_key.h.)
inline constexpr std::size_t kMemberNameBytesMax = 256;
inline constexpr std::size_t kMemberTagsMax = 64;
inline constexpr std::size_t kTagBytesMax = 64;

// toml++ builds and frees a dotted key by recursion, one level for each dot: without a limit, a key
// of 200,000 dots would overflow the stack. 8 KiB is enough for any entry within the limits above.
inline constexpr std::size_t kTomlLineBytesMax = 8'192;

}  // namespace rota
