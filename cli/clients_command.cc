#include "cli/clients_command.h"

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "base/text.h"
#include "base/token_digest.h"
#include "cli/setup_files.h"
#include "settings/client_settings.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

constexpr std::size_t kTokensMax = 2;
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kHexShown = 16;
constexpr mode_t kFolder = 0750;
constexpr mode_t kFile = 0640;

Result<Secret> make_token() {
  if (sodium_init() < 0) return fail(ErrorKind::kIo, "the system has no random bytes");
  std::array<unsigned char, kTokenBytes> random{};
  randombytes_buf(random.data(), random.size());
  std::string text(kClientTokenPrefix);
  std::array<char, sodium_base64_ENCODED_LEN(kTokenBytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)>
      encoded{};
  sodium_bin2base64(encoded.data(), encoded.size(), random.data(), random.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text += encoded.data();
  sodium_memzero(random.data(), random.size());
  wipe(encoded);
  return Secret::take(std::move(text));
}

std::string text_of(const std::string& name, const std::vector<TokenDigest>& tokens) {
  std::string text = fmt::format(
      "# Written by `rota client`. A token itself is stored nowhere.\n"
      "[[client]]\nname = \"{}\"\n# The newest is last.\ntoken_sha256 = [\n",
      name);
  for (const TokenDigest& token : tokens) text += fmt::format("  \"{}\",\n", format_digest(token));
  return text + "]\n";
}

class Clients {
 public:
  Clients(const ClientCommand& command, bool as_json, Output& output)
      : command_(command),
        as_json_(as_json),
        output_(output),
        config_(std::filesystem::absolute(command.config).lexically_normal().string()) {}

  Result<void> run() {
    ROTA_TRY(load());
    switch (command_.action) {
      case ClientCommand::Action::kAdd:
        return add();
      case ClientCommand::Action::kList:
        return list();
      case ClientCommand::Action::kRemove:
        return remove();
    }
    std::unreachable();
  }

 private:
  // An error elsewhere in the configuration keeps nobody from taking a token back.
  Result<void> load() {
    auto settings = load_settings(config_);
    if (settings) {
      settings_ = *std::move(settings);
      return {};
    }
    if (command_.action != ClientCommand::Action::kRemove) {
      return std::unexpected(std::move(settings).error());
    }
    auto own = load_good_rights(file());
    if (!own || own->clients.size() != 1 || own->clients[0].name != command_.name) {
      return std::unexpected(std::move(settings).error());
    }
    settings_.clients = std::move(own->clients);
    return {};
  }

  std::string file() const {
    return fmt::format("{}/{}.toml", client_folder(config_), command_.name);
  }

  const ClientSettings* find() const {
    const auto found = std::ranges::find(settings_.clients, command_.name, &ClientSettings::name);
    return found == settings_.clients.end() ? nullptr : &*found;
  }

  // The tokens of the client's own file. kInvalid: another file has it, which people wrote.
  Result<std::vector<TokenDigest>> tokens() const {
    const ClientSettings* client = find();
    if (client == nullptr) return std::vector<TokenDigest>{};
    if (client->where.starts_with(file() + ":")) return client->tokens;
    return fail(ErrorKind::kInvalid, fmt::format("{}: the client {} stands there; change it there",
                                                 client->where, command_.name));
  }

  // Readable for whoever can read the configuration: root and the daemon.
  Result<void> write(const std::vector<TokenDigest>& tokens) const {
    struct stat config{};
    if (::stat(config_.c_str(), &config) != 0) {
      return fail(ErrorKind::kIo, fmt::format("{}: {}", config_, std::strerror(errno)));
    }
    const Tree tree{std::string()};
    const std::string folder = client_folder(config_);
    if (!exists(folder)) {
      ROTA_TRY(tree.make_folder(folder, kFolder));
      if (::chown(folder.c_str(), static_cast<uid_t>(-1), config.st_gid) != 0) {
        return fail(ErrorKind::kIo, fmt::format("{}: {}", folder, std::strerror(errno)));
      }
    }
    return tree.replace(file(), text_of(command_.name, tokens),
                        {.mode = kFile, .group = config.st_gid});
  }

  Result<void> add() {
    ROTA_ASSIGN(std::vector<TokenDigest> all, tokens());
    if (all.size() >= kTokensMax) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("{0} has {1} tokens already: rota client remove {0} --old removes all "
                      "but the newest",
                      command_.name, all.size()));
    }
    ROTA_ASSIGN(const Secret token, make_token());
    all.push_back(digest_of(token.reveal()));
    // First, so that no token counts that nobody has seen.
    // The name and the token have no letter that JSON escapes.
    if (as_json_) ROTA_TRY(output_.out(fmt::format(R"({{"name":"{}","token":")", command_.name)));
    ROTA_TRY(output_.out(token.reveal()));
    ROTA_TRY(output_.out(as_json_ ? "\"}\n" : "\n"));
    if (auto written = write(all); !written) {
      written.error().message += "; so the token that was printed is not valid";
      return written;
    }
    output_.err(
        fmt::format("this is the only time that the token is shown; its SHA-256 is in {}", file()));
    if (all.size() > 1) {
      output_.err(fmt::format("the older token stays valid until: rota client remove {} --old",
                              command_.name));
    }
    if (!is_granted()) {
      output_.err(fmt::format("no grant is for it yet: add [[grant]] client = \"{}\" to {}",
                              command_.name, config_));
    }
    return say_reload();
  }

  bool is_granted() const {
    return std::ranges::any_of(settings_.grants, [this](const GrantSettings& grant) {
      return grant.holder == GrantSettings::Holder::kClient && grant.name == command_.name;
    });
  }

  Result<void> remove() {
    ROTA_ASSIGN(const std::vector<TokenDigest> all, tokens());
    if (all.empty()) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("there is no client {}", in_quotes_unless_secret(command_.name)));
    }
    if (command_.old) {
      if (all.size() > 1) ROTA_TRY(write({all.back()}));
      ROTA_TRY(say_removed(all.size() - 1, 1));
      return say_reload();
    }
    if (::unlink(file().c_str()) != 0) {
      return fail(ErrorKind::kIo,
                  fmt::format("{}: cannot remove it: {}", file(), std::strerror(errno)));
    }
    ROTA_TRY(say_removed(all.size(), 0));
    return say_reload();
  }

  // How many tokens; for people, silence says that it is done.
  Result<void> say_removed(std::size_t removed, std::size_t left) {
    if (!as_json_) return {};
    return output_.out(boost::json::serialize(boost::json::object{
                           {"name", command_.name}, {"removed", removed}, {"left", left}}) +
                       "\n");
  }

  Result<void> say_reload() {
    output_.err("the change comes into force with: rota reload");
    return {};
  }

  Result<void> list() {
    boost::json::array rows;
    std::string text;
    for (const ClientSettings& client : settings_.clients) {
      boost::json::array digests;
      std::string words;
      for (const TokenDigest& token : client.tokens) {
        const std::string shown = format_digest(token).substr(0, kHexShown);
        digests.emplace_back(shown);
        words += " " + shown;
      }
      rows.push_back({{"name", client.name}, {"tokens", digests}, {"where", client.where}});
      text += fmt::format("{}{}\n", client.name, words);
    }
    return output_.out(as_json_ ? boost::json::serialize(rows) + "\n" : text);
  }

  const ClientCommand& command_;
  const bool as_json_;
  Output& output_;
  const std::string config_;
  Settings settings_;
};

}  // namespace

ExitCode run_client(const ClientCommand& command, bool as_json, Output& output) {
  const auto done = Clients(command, as_json, output).run();
  if (done) return ExitCode::kDone;
  output.err(done.error().message);
  return done.error().kind == ErrorKind::kInvalid ? ExitCode::kUsage : ExitCode::kFailed;
}

}  // namespace rota::cli
