#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/box.h"

namespace rota::e2e {

// A `rota files` with a configuration and a folder of its own, beside a Box.
class TokenFiles {
 public:
  explicit TokenFiles(Box& box);

  // The rest of one [[file]]: "path" is added, as `name` in the folder.
  void add(std::string_view name, std::string_view member, std::string_view rest = "");
  void clear() { files_.clear(); }
  void write_config() const;
  void start(const std::vector<std::string>& prefix = {});
  void kill9();
  int stop();
  Process& process() { return *process_; }
  // Whether it has said so in this life, or comes to.
  bool comes_to_say(std::string_view text) const;

  std::filesystem::path path(std::string_view name) const { return folder_ / name; }
  std::string text(std::string_view name) const;  // "": there is no such file
  bool comes(std::string_view name, std::string_view text) const;
  bool goes(std::string_view name, Seconds limit = kLimit) const;
  // A program for `run` that writes a line to runs() for each run: its arguments.
  std::string program(std::string_view more = "") const;
  int runs() const;
  // Whether the record says that the programs were told of what the file has.
  bool is_told(std::string_view name) const;
  // Starts it with one more file, whose program must run; any other program that is due at the
  // start runs before that. Then stops it, which waits for all of them. Whether all of that worked.
  bool starts_without_a_run();
  std::filesystem::path config_path() const { return box_.folder / "files.toml"; }
  std::filesystem::path record_path() const { return box_.folder / "record"; }

 private:
  Box& box_;
  std::filesystem::path folder_;
  std::string files_;
  std::unique_ptr<Process> process_;
  int starts_ = 0;
};

}  // namespace rota::e2e
