#include "e2e/token_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/token_digest.h"

namespace rota::e2e {

TokenFiles::TokenFiles(Box& box) : box_(box), folder_(box.folder / "files") {
  std::filesystem::create_directory(folder_);
}

void TokenFiles::add(std::string_view name, std::string_view member, std::string_view rest) {
  files_ += fmt::format("\n[[file]]\nmember = \"{}\"\npath = \"{}\"\n{}\n", member,
                        path(name).string(), rest);
}

void TokenFiles::write_config() const {
  testing::write_bytes(
      config_path(),
      fmt::format("socket = \"{}\"\nrecord = \"{}\"\nrun_timeout = \"2s\"\n{}",
                  box_.daemon.token_socket().string(), record_path().string(), files_));
}

void TokenFiles::start(const std::vector<std::string>& prefix) {
  write_config();
  std::vector<std::string> command = prefix;
  command.insert(command.end(), {ROTA_CLI, "files", "--config", config_path()});
  process_ =
      std::make_unique<Process>(command, box_.folder / fmt::format("files.{}.out", ++starts_));
}

void TokenFiles::kill9() { process_->kill_and_wait(SIGKILL); }
int TokenFiles::stop() { return process_->kill_and_wait(SIGTERM); }

bool TokenFiles::comes_to_say(std::string_view text) const {
  return eventually([&] { return process_->output().find(text) != std::string::npos; });
}

std::string TokenFiles::text(std::string_view name) const {
  return std::filesystem::exists(path(name)) ? testing::read_bytes(path(name)) : "";
}

bool TokenFiles::comes(std::string_view name, std::string_view text) const {
  return eventually([&] { return this->text(name) == text; });
}

bool TokenFiles::goes(std::string_view name, Seconds limit) const {
  return eventually([&] { return !std::filesystem::exists(path(name)); }, limit);
}

std::string TokenFiles::program(std::string_view more) const {
  const auto script = box_.folder / "program";
  testing::write_bytes(script, fmt::format("#!/bin/sh\n{}\necho \"$@\" >>{}\n", more,
                                           (box_.folder / "runs").string()));
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  return script;
}

int TokenFiles::runs() const {
  const auto file = box_.folder / "runs";
  if (!std::filesystem::exists(file)) return 0;
  const std::string lines = testing::read_bytes(file);
  return static_cast<int>(std::ranges::count(lines, '\n'));
}

bool TokenFiles::is_told(std::string_view name) const {
  const std::string line =
      fmt::format("{} {}\n", format_digest(digest_of(text(name))), path(name).string());
  return testing::read_bytes(record_path()).find(line) != std::string::npos;
}

bool TokenFiles::starts_without_a_run() {
  const std::string name = fmt::format("marker.{}", starts_);
  const std::filesystem::path ran = box_.folder / (name + ".ran");
  add(name, "id:1", fmt::format("run = [\"touch\", \"{}\"]", ran.string()));
  start();
  return eventually([&] { return std::filesystem::exists(ran); }) && stop() == 0;
}

}  // namespace rota::e2e
