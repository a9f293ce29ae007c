#pragma once

#include <cstddef>

namespace rota {

inline constexpr std::size_t kRosterEntriesMax = 1'000'000;

// What one entry may hold, beside kMemberKeyBytesMax.
inline constexpr std::size_t kMemberNameBytesMax = 256;
inline constexpr std::size_t kMemberTagsMax = 64;
inline constexpr std::size_t kTagBytesMax = 64;

// toml++ nests and frees a dotted key by recursion, a level for each dot: without this limit a key
// of 200,000 dots ends the process. 8 KiB holds any entry that the limits above let through.
inline constexpr std::size_t kTomlLineBytesMax = 8'192;

}  // namespace rota
