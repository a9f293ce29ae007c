#include "cli/rekey.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "cli/program.h"
#include "cli/setup_files.h"
#include "cli/stopped_daemon.h"
#include "settings/hidden_values.h"
#include "settings/own_path.h"
#include "settings/secret_files.h"
#include "settings/settings.h"
#include "settings/store_key.h"
#include "sqlite/files.h"
#include "sqlite/sealer.h"
#include "sqlite/sqlite_store.h"

namespace rota::cli {
namespace {

constexpr mode_t kKeyFile = 0600;

// The file of the store key, and the one beside it for a key that is to take its place.
class KeyFile {
 public:
  // kConfig: there is no such file.
  static Result<KeyFile> find(const Settings& settings, const std::string& config) {
    const SecretSource& source = settings.store.key;
    const std::optional<uid_t> service = owner_of_database(settings.store.path);
    if (!source.file.empty()) return KeyFile(source.file, {}, service);
    find_credentials(config, settings);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the command has one thread.
    const char* const set = std::getenv("CREDENTIALS_DIRECTORY");
    const std::filesystem::path folder =
        set != nullptr ? std::filesystem::path(set)
                       : std::filesystem::absolute(config).parent_path() / "credentials";
    const std::string plain = (folder / source.credential).string();
    if (exists(plain)) return KeyFile(plain, {}, service);
    if (exists(plain + ".cred")) return KeyFile(plain + ".cred", source.credential, service);
    return fail(ErrorKind::kConfig,
                fmt::format("there is no store key in {}: neither a file nor one sealed to this "
                            "machine",
                            folder.string()));
  }

  const std::string& path() const { return path_; }
  std::string waiting_path() const { return path_ + ".new"; }
  bool is_waiting() const { return exists(waiting_path()); }

  Result<Secret> read() const { return read(path_); }
  Result<Secret> read_waiting() const { return read(waiting_path()); }

  // Makes a key, which waits from then on.
  Result<Secret> make() const {
    struct stat found{};
    if (::stat(path_.c_str(), &found) != 0) return refused(path_);
    ROTA_ASSIGN(const Secret text, generate_store_key());
    std::string bytes = std::string(text.reveal()) + "\n";
    auto sealed = sealed_form(bytes);
    if (sealed) {
      auto written = Tree{std::string()}.write_new(
          waiting_path(), sealed->reveal(),
          {.mode = kKeyFile, .group = found.st_gid, .owner = found.st_uid});
      if (!written) sealed = std::unexpected(std::move(written).error());
    }
    wipe(bytes);
    if (!sealed) return std::unexpected(std::move(sealed).error());
    return parse_store_key(text.reveal());
  }

  // The key that waits takes the place of the other, which is gone then.
  Result<void> replace() const {
    if (std::rename(waiting_path().c_str(), path_.c_str()) != 0) return refused(path_);
    return sync_directory_of(path_);
  }

 private:
  KeyFile(const std::string& path, std::string credential, std::optional<uid_t> service)
      : path_(std::filesystem::absolute(path).string()),
        credential_(std::move(credential)),
        service_(service) {}

  static std::unexpected<Error> refused(const std::string& path) {
    return fail(ErrorKind::kIo, fmt::format("{}: {}", path, std::strerror(errno)));
  }

  Result<Secret> read(const std::string& path) const {
    ROTA_TRY(check_only_ours(path, service_));
    if (credential_.empty()) {
      ROTA_ASSIGN(const Secret text, read_secret_file(path));
      return parse_store_key(text.reveal());
    }
    ROTA_ASSIGN(const Ran ran,
                run_program({"systemd-creds", "decrypt", "--name=" + credential_, path, "-"}, {},
                            ProgramErrors::kNowhere));
    if (ran.code != 0) return fail(ErrorKind::kIo, path + " cannot be decrypted by systemd-creds");
    return parse_store_key(ran.output.reveal());
  }

  Result<Secret> sealed_form(std::string_view bytes) const {
    if (credential_.empty()) return Secret(bytes);
    ROTA_ASSIGN(
        Ran ran,
        run_program({"systemd-creds", "encrypt", "--name=" + credential_, "-", "-"}, bytes));
    if (ran.code != 0 || ran.output.empty()) {
      return fail(ErrorKind::kIo, "systemd-creds cannot seal the new key to this machine");
    }
    return std::move(ran.output);
  }

  std::string path_;
  std::string credential_;  // its name, if the file is sealed to the machine
  std::optional<uid_t> service_;
};

// The database has the new key. Whoever has this keeps daemons out of it.
struct Rekeyed {
  LockFile lock;
  bool was_before = false;  // an earlier command did it, and was cut off
};

Result<Rekeyed> rekey_database(const std::string& path, const Secret& old_key,
                               const Secret& new_key) {
  const auto sealer_of = [](const Secret& key) { return Sealer::create(Secret(key.reveal())); };
  ROTA_ASSIGN(const AsOwner owner, AsOwner::of(path));
  ROTA_TRY(check_only_ours(path));
  if (!exists(path))
    return fail(ErrorKind::kConfig, path + " does not exist: there is nothing to seal");
  ROTA_ASSIGN(Sealer old_sealer, sealer_of(old_key));
  ROTA_ASSIGN(Sealer new_sealer, sealer_of(new_key));
  bool was_before = false;
  auto store = SqliteStore::open(path, std::move(old_sealer));
  if (store) {
    ROTA_TRY((*store)->rekey(std::move(new_sealer)));
  } else {
    if (store.error().kind != ErrorKind::kConfig) return std::unexpected(std::move(store).error());
    auto done = SqliteStore::open(path, std::move(new_sealer));
    if (!done) return std::unexpected(std::move(store).error());
    store = std::move(done);
    was_before = true;
  }
  SqliteStore::Closed closed = SqliteStore::close(*std::move(store));
  ROTA_TRY(closed.tidy);
  return Rekeyed{.lock = std::move(closed.lock), .was_before = was_before};
}

Result<std::string> rekey(const RekeyCommand& command, bool as_json) {
  ROTA_ASSIGN(const Settings settings, load_settings(command.config));
  const HiddenValues hidden(settings);
  const auto run = [&]() -> Result<std::string> {
    ROTA_ASSIGN(const KeyFile file, KeyFile::find(settings, command.config));
    ROTA_ASSIGN(const Secret old_key, file.read());
    ROTA_ASSIGN(const Secret new_key, file.is_waiting() ? file.read_waiting() : file.make());
    ROTA_ASSIGN(const Rekeyed done, rekey_database(settings.store.path, old_key, new_key));
    if (const auto replaced = file.replace(); !replaced) {
      return fail(ErrorKind::kIo,
                  fmt::format("{}. The database is sealed with the key in {}: give this command "
                              "again, or put that file in its place",
                              replaced.error().message, file.waiting_path()));
    }
    if (as_json) return fmt::format("{{\"finished_earlier_one\":{}}}\n", done.was_before);
    return fmt::format(
        "{}{} has a new key, and {} is sealed with it\n"
        "Earlier backups open with the earlier key only. Login handles are dead, and programs log "
        "in again.\n",
        done.was_before ? "an earlier rekey was cut off after it sealed all; it is complete now: "
                        : "",
        file.path(), settings.store.path);
  };
  auto done = run();
  if (!done) return std::unexpected(hidden.hide(std::move(done).error()));
  return done;
}

}  // namespace

ExitCode run_rekey(const RekeyCommand& command, bool as_json, Output& output) {
  auto done = rekey(command, as_json);
  if (!done)
    return say_why_not(std::move(done).error(), {command.config}, command.community, output);
  const auto written = output.out(*done);
  if (!written) output.err(written.error().message);
  return written ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace rota::cli
