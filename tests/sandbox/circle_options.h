#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "sandbox/names.h"

namespace rota::sandbox {

// What a second issue gives while the member's refresh token lives.
enum class IssueMode : std::uint8_t { kSame, kNew };
// What a refresh gives while the member's newest access token lives.
enum class RefreshMode : std::uint8_t { kFresh, kSticky };
// What a revocation says of an access token whose member was removed.
enum class RemovedMode : std::uint8_t { k422, k401, kNotFound };
// Whether errors come in the words of Circle's description, or in others.
enum class Messages : std::uint8_t { kDocumented, kOther };
// Whether a refresh brings a new refresh token too, as OAuth 2.1 has it. The old one lives on.
enum class RefreshRotation : std::uint8_t { kOff, kOn };
// Whether an address in another case is the same address.
enum class EmailCase : std::uint8_t { kExact, kIgnored };
enum class RetryAfter : std::uint8_t { kNone, kSeconds, kDate };

inline constexpr std::array<Name<IssueMode>, 2> kIssueModeNames{
    {{IssueMode::kSame, "same"}, {IssueMode::kNew, "new"}}};
inline constexpr std::array<Name<RefreshMode>, 2> kRefreshModeNames{
    {{RefreshMode::kFresh, "fresh"}, {RefreshMode::kSticky, "sticky"}}};
inline constexpr std::array<Name<RemovedMode>, 3> kRemovedModeNames{
    {{RemovedMode::k422, "422"},
     {RemovedMode::k401, "401"},
     {RemovedMode::kNotFound, "not_found"}}};
inline constexpr std::array<Name<Messages>, 2> kMessagesNames{
    {{Messages::kDocumented, "documented"}, {Messages::kOther, "other"}}};
inline constexpr std::array<Name<RefreshRotation>, 2> kRefreshRotationNames{
    {{RefreshRotation::kOff, "off"}, {RefreshRotation::kOn, "on"}}};
inline constexpr std::array<Name<EmailCase>, 2> kEmailCaseNames{
    {{EmailCase::kExact, "exact"}, {EmailCase::kIgnored, "ignored"}}};
inline constexpr std::array<Name<RetryAfter>, 3> kRetryAfterNames{
    {{RetryAfter::kNone, "none"}, {RetryAfter::kSeconds, "seconds"}, {RetryAfter::kDate, "date"}}};

struct CircleOptions {
  std::string app_token = "sandbox-app-token";
  // An Admin API token of the same community: no good here, which is the commonest mistake.
  std::string admin_token = "sandbox-admin-token";
  std::int64_t community_id = 1;
  bool eligible = true;
  Duration access_ttl = std::chrono::hours{1};
  Duration refresh_ttl = std::chrono::days{30};
  IssueMode issue_mode = IssueMode::kSame;
  RefreshMode refresh_mode = RefreshMode::kFresh;
  RemovedMode removed_mode = RemovedMode::k422;
  Messages messages = Messages::kDocumented;
  Duration expiry_skew{0};  // of the ends that replies name against the true ones
  RefreshRotation refresh_rotation = RefreshRotation::kOff;
  // Nothing is known of Circle's. By the exact case two members may differ in it alone.
  EmailCase email_case = EmailCase::kExact;
  std::size_t rate_limit = 2000;  // 0: none
  Duration rate_window = std::chrono::minutes{5};
  RetryAfter retry_after = RetryAfter::kNone;
  Duration latency{0};       // between carrying out a call and answering it
  Duration clock_offset{0};  // of Circle's clock against the machine's
  std::uint64_t fault_seed = 1;
  std::uint64_t token_seed = 1;
};

// Sets one option from its text, under the same name for the command line (with dashes) and the
// control API. kInvalid, with a line for people, when there is no such option or value.
Result<void> set_option(CircleOptions& options, std::string_view name, std::string_view value);

}  // namespace rota::sandbox
