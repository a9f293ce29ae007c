#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "deliver/token_text.h"
#include "model/member_key.h"

namespace rota {

// Each member costs two connections to the daemon, which allows 256 for a user.
inline constexpr std::size_t kTokenFileMembersMax = 100;
inline constexpr std::size_t kTokenFilesMax = 1'000;
// Of the last part of a path; a temporary name is a little longer, and a file system allows 255.
inline constexpr std::size_t kTokenFileNameBytesMax = 200;

// One [[file]] of files.toml.
struct TokenFileSettings {
  MemberKey member{};
  std::string path;   // absolute, without "." and ".."
  std::string owner;  // empty: the user that runs `rota files`
  std::string group;  // empty: its group
  std::uint32_t mode = 0600;
  deliver::Format format = deliver::Format::kRaw;
  deliver::Template text{};  // of the format "template"
  std::vector<std::string> run{};
  bool keep = false;
  std::string where{};  // file and line, for messages
};

// What files.toml says (files.toml(5)).
struct TokenFilesSettings {
  std::string socket = "/run/rota/token.sock";
  std::string record = "/var/lib/rota-files/record";
  Duration run_timeout{30'000};
  std::vector<TokenFileSettings> files{};
};

// kConfig, with file, line and key: bad syntax, an unknown key, a bad value, two files of one path,
// or too many. No message repeats a value that may be a secret (P10).
Result<TokenFilesSettings> parse_token_files(std::string_view name, std::string_view text);
// Reads the file first; blocks on the disk. kConfig: it is missing or cannot be read.
Result<TokenFilesSettings> load_token_files(const std::string& path);

}  // namespace rota
