#include "cli/keeping_options.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/options.h"

namespace rota::cli {

void add_keeping(CLI::App& app, Options& options) {
  CLI::App* const backup =
      app.add_subcommand("backup", "write a sealed copy of the database to FILE, while rotad runs");
  const auto copied = std::make_shared<BackupCommand>();
  backup->add_flag("--json", options.json, "print the daemon's JSON reply as it is");
  backup->add_option("file", copied->file, "the file to write; it is replaced as a whole")
      ->type_name("FILE")
      ->required();
  backup->callback([&options, copied] { options.command = *copied; });

  CLI::App* const restore = app.add_subcommand(
      "restore", "put a backup in the place of the database, while rotad is stopped");
  const auto restored = std::make_shared<RestoreCommand>();
  restore->add_flag("--json", options.json, "print the result as JSON");
  restore->add_option("file", restored->file, "the backup")->type_name("FILE")->required();
  restore->add_flag("--yes", restored->yes, "ask nothing");
  restore
      ->add_option("--key-file", restored->key_file,
                   "the store key that the backup was sealed with, if it is an earlier one")
      ->type_name("FILE");
  restore->add_option("--config", restored->config, "the daemon's configuration")
      ->type_name("FILE");
  restore->callback([&options, restored] { options.local = *restored; });

  CLI::App* const rekey =
      app.add_subcommand("rekey", "seal the database with a new store key, while rotad is stopped");
  const auto rekeyed = std::make_shared<RekeyCommand>();
  rekey->add_flag("--json", options.json, "print the result as JSON");
  rekey->add_option("--config", rekeyed->config, "the daemon's configuration")->type_name("FILE");
  rekey->callback([&options, rekeyed] { options.local = *rekeyed; });
}

}  // namespace rota::cli
