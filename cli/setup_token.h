#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "cli/app_token_check.h"
#include "cli/console.h"
#include "cli/setup.h"
#include "cli/setup_files.h"
#include "cli/setup_report.h"

namespace rota::cli {

inline constexpr std::string_view kAppToken = "app-token";

struct AppTokenChoice {
  SecretPtr token;          // null: keep the present one
  bool replaces = false;    // there is one, which `token` replaces
  std::string plain_copy;   // the plain file of a token that is to be sealed; else empty
  bool unanswered = false;  // Circle was asked whether it accepts the token, and gave no answer
};

// Chooses the app token that `rota setup` writes: that of --app-token-file, the present one, or one
// that the person types. Unless --no-check is given it asks Circle, and does not choose a token
// that Circle refuses, nor one if the server that it asks is not Circle. If there is no answer, it
// does choose: this machine may have no network yet. All that it is given must outlive it.
class AppTokenChooser {
 public:
  AppTokenChooser(const SetupCommand& command, const Places& places, bool encrypted,
                  Console& console, SetupReport& report, const CheckAppToken& check_token)
      : command_(command),
        places_(places),
        encrypted_(encrypted),
        console_(console),
        report_(report),
        check_token_(check_token) {}

  // kInvalid: there is no token, it cannot be one, or Circle refuses it. kConfig: the server that
  // base_url names is not Circle.
  Result<AppTokenChoice> choose();

 private:
  std::unexpected<Error> unreadable_token_file(Error error) const;
  UpstreamSettings upstream() const;
  Result<TokenCheck> ask_circle(const SecretPtr& token);
  Result<void> expect_taken(const SecretPtr& token, std::string_view remedy);
  Result<SecretPtr> ask_for_token(std::string why);
  Result<SecretPtr> in_place_of_a_refused_one(const std::string& path);
  Result<Secret> read_credential_file(const std::string& path) const;

  const SetupCommand& command_;
  const Places& places_;
  const bool encrypted_;
  Console& console_;
  SetupReport& report_;
  const CheckAppToken& check_token_;
  bool unanswered_ = false;
};

}  // namespace rota::cli
