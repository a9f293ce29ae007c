#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "base/token_digest.h"

// Which file is to be written or removed now, and which program is to be run. Pure: time comes in
// as an argument, and a caller carries out what due() returns.
namespace rota::deliver {

// How long after a change its program runs, so that changes at about the same time cost one run.
inline constexpr Duration kRunDelay{1'000};
// A failed write, removal or run is tried again after this long, twice as long the next time, and
// so on up to the cap.
inline constexpr Duration kRetryFirst{1'000};
inline constexpr Duration kWriteRetryMax{30'000};
inline constexpr Duration kRunRetryMax{300'000};

// What one file is to be told. Files with equal `run` share one run of it.
struct FileOrder {
  std::string path;
  std::vector<std::string> run{};  // empty: nothing
  bool keep = false;               // leave the file where it is at a stop
};

// The digest of the content that the programs were last told of, by path. It must outlive the
// process: without it, a restart would run every program again.
using Told = std::map<std::string, TokenDigest>;

enum class FileState {
  kUnheard,   // nothing is known yet; what is there stays
  kToWrite,   // the content is known, and not in the file
  kWritten,   // the file has the content
  kToRemove,  // the member is gone, the token has expired, or this is a stop
  kRemoved,
  kLeft,  // stopped; the file stays
};

enum class RunState {
  kIdle,
  kDue,      // at a time
  kRunning,  // a change meanwhile makes it due again when it ends
};

// By the index in the orders, or in runs().
struct Write {
  std::size_t file;
};
struct Remove {
  std::size_t file;
};
struct Run {
  std::size_t run;
};
using Deed = std::variant<Write, Remove, Run>;

class Deliveries {
 public:
  Deliveries(std::vector<FileOrder> orders, Told told);

  // The file is to have the content with this digest, until the token in it expires.
  void on_content(std::size_t file, const TokenDigest& content, BootTime expires, BootTime now);
  // The member has no token any more, or none that is alive.
  void on_gone(std::size_t file, BootTime now);
  // How a deed ended.
  void on_written(std::size_t file, bool good, BootTime now);
  void on_removed(std::size_t file, bool good, BootTime now);
  void on_run_end(std::size_t run, bool good, BootTime now);
  // From now on nothing is written or run. Files that are not kept are removed.
  void on_stop(BootTime now);

  // What to do now; then ask again, until there is nothing: programs come once the files are done.
  // The caller reports the end of each Write and Remove before anything else happens; a Run is
  // under way from then on, until on_run_end().
  std::vector<Deed> due(BootTime now);
  // When to ask again, unless something else happens before. None: never.
  std::optional<BootTime> next_due() const;

  // Every file is as it should be. (Programs may still have to run.)
  bool settled() const;
  // After on_stop(): nothing is left to do but to wait for programs that run.
  bool stopped() const { return stopping_ && settled(); }

  FileState state_of(std::size_t file) const { return files_[file].state; }
  // Failures in a row of the file's present deed, or of the run.
  int failures_of_file(std::size_t file) const { return files_[file].failures; }
  int failures_of_run(std::size_t run) const { return runs_[run].failures; }
  std::size_t run_count() const { return runs_.size(); }
  const std::vector<std::string>& program(std::size_t run) const { return runs_[run].program; }
  // Also has the paths that were handed in and are in no order any more.
  const Told& told() const { return told_; }

 private:
  struct File {
    FileOrder order;
    std::optional<std::size_t> run{};
    FileState state = FileState::kUnheard;
    BootTime due{};         // of kToWrite and kToRemove
    BootTime expires{};     // of kToWrite and kWritten
    TokenDigest content{};  // of kToWrite and kWritten
    int failures = 0;
  };
  struct Program {
    std::vector<std::string> program;
    std::vector<std::size_t> files{};
    RunState state = RunState::kIdle;
    BootTime due{};
    std::map<std::size_t, TokenDigest> shown{};  // what the files had when it started
    int failures = 0;
  };

  static bool has_content(const File& file) {
    return file.state == FileState::kToWrite || file.state == FileState::kWritten;
  }
  // Whether the program has not been told of what the file has.
  bool owed(const File& file) const;
  void enter(File& file, FileState state, BootTime now);
  void failed(File& file, BootTime now);
  void start(Program& program);

  std::vector<File> files_;
  std::vector<Program> runs_;
  Told told_;
  bool stopping_ = false;
};

}  // namespace rota::deliver
