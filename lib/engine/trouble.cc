#include "engine/trouble.h"

#include <fmt/format.h>

#include "base/check.h"

namespace rota {
namespace {

constexpr int kServerErrors = 500;

std::string words_of(const Transient& failure) {
  if (failure.about_one) return "";  // Circle answers, and means one token or one member
  switch (failure.symptom.kind) {
    case Symptom::Kind::kNone:
      // A call that was given up before it was sent says nothing of Circle.
      return failure.reason == TransientReason::kNotSent ? "" : "calls to Circle fail";
    case Symptom::Kind::kLookup:
      return "DNS does not resolve the name of Circle's host";
    case Symptom::Kind::kRefused:
      return "Circle's address refuses connections";
    case Symptom::Kind::kUnreachable:
      return "Circle cannot be reached";
    case Symptom::Kind::kTls:
      return "no trusted TLS connection to Circle: check certificate, CA file and clock";
    case Symptom::Kind::kTimeout:
      return "Circle does not answer in time";
    case Symptom::Kind::kCutOff:
      return "connections to Circle break off";
    case Symptom::Kind::kStatus:
      if (failure.symptom.status >= kServerErrors ||
          failure.reason == TransientReason::kServerError) {
        return fmt::format("Circle answers {}", failure.symptom.status);
      }
      return fmt::format("replies with status {} are not from Circle's API",
                         failure.symptom.status);
  }
  ROTA_CHECK(false);
}

// None: the reply says that calls work. Empty: it says nothing.
struct Judge {
  std::optional<std::string> operator()(const Transient& failure) const {
    return words_of(failure);
  }
  std::optional<std::string> operator()(const AppTokenRefused&) const {
    return "Circle refuses the app token";
  }
  std::optional<std::string> operator()(const NotEligible&) const {
    return "Circle refuses the community";
  }
  std::optional<std::string> operator()(const Throttled&) const { return ""; }
  template <class Settled>
  std::optional<std::string> operator()(const Settled&) const {
    return std::nullopt;
  }
};

}  // namespace

std::string minute_of(WallTime time) {
  constexpr std::size_t kMinuteAt = 11;  // of "2024-03-20T16:36:47.274Z"
  constexpr std::size_t kMinuteLength = 5;
  return format_iso8601(time).substr(kMinuteAt, kMinuteLength);
}

std::string describe(const Trouble& trouble) {
  return fmt::format("{} (since {} UTC)", trouble.words, minute_of(trouble.since));
}

void TroubleWatch::note(const Outcome& outcome, WallTime now) {
  auto words = std::visit(Judge{}, outcome);
  if (!words) {
    last_good_ = now;
    return current_.reset();
  }
  if (words->empty()) return;
  if (!current_) current_ = Trouble{.words = {}, .since = now};
  current_->words = *std::move(words);
  ++current_->failures;
}

}  // namespace rota
