#include "deliver/token_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota::deliver {
namespace {

constexpr auto kFormats = std::to_array<std::pair<std::string_view, Format>>({
    {"raw", Format::kRaw},
    {"json", Format::kJson},
    {"header", Format::kHeader},
    {"env", Format::kEnv},
    {"template", Format::kTemplate},
});

// The characters of a bearer token (RFC 6750, 2.1). None of them means anything in a header, in
// JSON, to a shell or in an environment file of systemd.
bool is_bearer_character(char c) {
  constexpr std::string_view kMarks = "-._~+/=";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.contains(c);
}

}  // namespace

std::optional<Format> format_named(std::string_view word) {
  const auto* const found =
      std::ranges::find(kFormats, word, [](const auto& f) { return f.first; });
  return found == kFormats.end() ? std::nullopt : std::optional(found->second);
}

Result<Template> Template::parse(std::string_view text) {
  constexpr std::string_view kOpen = "{{";
  constexpr std::string_view kClose = "}}";
  constexpr auto kFields = std::to_array<std::pair<std::string_view, Field>>({
      {"access_token", Field::kAccessToken},
      {"expires_at", Field::kExpiresAt},
      {"community_member_id", Field::kCommunityMemberId},
  });
  Template result;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find(kOpen), text.size());
    if (open > 0) result.parts_.emplace_back(std::string(text.substr(0, open)));
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = text.find(kClose);
    if (close == std::string_view::npos) {
      return fail(ErrorKind::kConfig, "has {{ without }} behind it");
    }
    const std::string_view name = trim(text.substr(kOpen.size(), close - kOpen.size()));
    const auto* const field =
        std::ranges::find(kFields, name, [](const auto& known) { return known.first; });
    if (field == kFields.end()) {
      return fail(ErrorKind::kConfig,
                  fmt::format("has {} in braces; known are access_token, expires_at and "
                              "community_member_id",
                              in_quotes_unless_secret(name)));
    }
    result.parts_.emplace_back(field->second);
    text.remove_prefix(close + kClose.size());
  }
  return result;
}

// Puts a file's text together in one buffer that never grows, so that no copy of the token stays
// behind.
class Writer {
 public:
  explicit Writer(const Token& token)
      : token_(token),
        expires_at_(format_iso8601(token.expires_at)),
        id_(fmt::to_string(token.community_member_id)) {}

  Secret write(Format format, const Template& text) {
    // Twice the same: the first time it counts, the second time it writes.
    add_all(format, text);
    text_.reserve(bytes_);
    counting_ = false;
    add_all(format, text);
    return Secret::take(std::move(text_));
  }

 private:
  void add_all(Format format, const Template& text) {
    switch (format) {
      case Format::kRaw:
        return add({token()});
      case Format::kJson:
        return add({R"({"access_token":")", token(), R"(","access_token_expires_at":")",
                    expires_at_, R"(","community_member_id":)", id_, "}\n"});
      case Format::kHeader:
        return add({"Authorization: Bearer ", token(), "\n"});
      case Format::kEnv:
        return add({"ROTA_ACCESS_TOKEN=", token(), "\nROTA_EXPIRES_AT=", expires_at_,
                    "\nROTA_COMMUNITY_MEMBER_ID=", id_, "\n"});
      case Format::kTemplate:
        for (const auto& part : text.parts_) {
          const auto* const words = std::get_if<std::string>(&part);
          add({words != nullptr ? std::string_view(*words)
                                : value_of(std::get<Template::Field>(part))});
        }
        return;
    }
    ROTA_CHECK(false);
  }

  std::string_view value_of(Template::Field field) const {
    switch (field) {
      case Template::Field::kAccessToken:
        return token();
      case Template::Field::kExpiresAt:
        return expires_at_;
      case Template::Field::kCommunityMemberId:
        return id_;
    }
    ROTA_CHECK(false);
  }

  std::string_view token() const { return token_.access_token->reveal(); }
  void add(std::initializer_list<std::string_view> pieces) {
    for (const std::string_view piece : pieces) {
      if (counting_) {
        bytes_ += piece.size();
      } else {
        text_.append(piece);
      }
    }
  }

  const Token& token_;
  const std::string expires_at_;
  const std::string id_;
  bool counting_ = true;
  std::size_t bytes_ = 0;
  std::string text_;
};

Result<Secret> render(Format format, const Template& text, const Token& token) {
  if (!std::ranges::all_of(token.access_token->reveal(), is_bearer_character)) {
    return fail(ErrorKind::kInvalid,
                "the token has a character that a bearer token cannot have (RFC 6750)");
  }
  return Writer(token).write(format, text);
}

}  // namespace rota::deliver
