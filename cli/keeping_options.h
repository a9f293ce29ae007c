#pragma once

namespace CLI {
class App;
}  // namespace CLI

namespace rota::cli {

struct Options;

// The commands that keep the database: backup, restore and rekey. Each sets itself in `options`,
// which must outlive the parse.
void add_keeping(CLI::App& app, Options& options);

}  // namespace rota::cli
