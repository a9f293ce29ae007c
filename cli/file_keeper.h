#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "cli/output.h"
#include "cli/placed_file.h"
#include "cli/token_streams.h"
#include "deliver/deliveries.h"
#include "deliver/token_text.h"
#include "model/member_key.h"

namespace rota::cli {

// One file that is kept as the daemon says.
struct KeptFile {
  MemberKey member;
  Place place;
  deliver::Format format = deliver::Format::kRaw;
  deliver::Template text{};
  std::vector<std::string> run{};
  bool keep = false;
};

// Carries out what Deliveries decides: hears the daemon, writes and removes files, runs programs
// with a time limit. Everything that goes wrong is said once, and that it works again, too. One
// thread; blocks on the disk.
class FileKeeper {
 public:
  struct Options {
    std::string socket;
    Duration run_timeout{};
    deliver::Told told{};
  };
  struct Hooks {
    // Programs were told of something: what they know is to be recorded.
    std::function<void(const deliver::Told&)> on_told{};
    // The file was written with another token than the one it had; not the first time.
    std::function<void(std::size_t file)> on_change{};
  };
  // kBug: libcurl cannot start. `output` must outlive it.
  static Result<std::unique_ptr<FileKeeper>> create(Options options, std::vector<KeptFile> files,
                                                    Hooks hooks, Output& output);
  FileKeeper(const FileKeeper&) = delete;
  FileKeeper& operator=(const FileKeeper&) = delete;
  ~FileKeeper();  // ends what it started

  // Does what is due, and waits for news, for at most `wait` or until `other` can be read.
  void turn(int other, Duration wait);
  // A child process has ended, with a status as of waitpid(). False: it is not one of ours.
  bool on_child(pid_t child, int status);
  void stop();
  bool stopped() const { return deliveries_.stopped(); }
  // Every file is as the daemon says it should be.
  bool settled() const { return deliveries_.settled(); }
  bool runs_programs() const { return !running_.empty(); }
  void kill_programs();

  const deliver::Told& told() const { return deliveries_.told(); }
  std::size_t written() const;  // files that are there
  std::size_t size() const { return files_.size(); }
  // Why the daemon gives no token of the file's member; empty: it does, or we do not know yet.
  const std::string& refusal_of(std::size_t file) const { return files_[file].refusal; }
  // The daemon could not be asked, as of the last try.
  bool is_silent() const { return silent_; }
  // The token of the file; null: there is none.
  SecretPtr token_of(std::size_t file) const { return files_[file].token; }

 private:
  struct File {
    KeptFile what;
    Secret content{};
    SecretPtr token{};
    std::string refusal{};
    bool was_written = false;
    bool trouble = false;  // that it cannot be written or removed was said
  };
  struct Running {
    std::size_t run;
    BootTime limit;
    bool killed = false;
  };

  FileKeeper(Options options, std::vector<KeptFile> files, Hooks hooks, Output& output);
  Result<void> connect(const std::string& socket);
  void hear(std::size_t member, const Heard& heard);
  void hear_token(std::size_t file, const Heard& heard);
  void hear_gone(std::size_t file, const Heard& heard);
  void carry_out(const deliver::Deed& deed);
  void write(std::size_t file);
  void remove(std::size_t file);
  void run(std::size_t run);
  void end_overdue(BootTime now);
  void say_file(std::size_t file, const Result<void>& done);

  const Options options_;
  const Hooks hooks_;
  Output& output_;
  std::vector<File> files_;
  std::vector<std::vector<std::size_t>> files_of_;  // by member
  deliver::Deliveries deliveries_;
  std::map<pid_t, Running> running_;
  bool silent_ = false;
  std::unique_ptr<TokenStreams> streams_;  // null after stop()
};

}  // namespace rota::cli
