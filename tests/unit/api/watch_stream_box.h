#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/watch_stream.h"
#include "fakes.h"
#include "http/event_stream.h"

namespace rota::watch_stream {

inline constexpr std::uint32_t kOwnUid = 990;
inline const PeerIdentity kRoot{.uid = 0, .gid = 0, .pid = 1};
inline const PeerIdentity kHelpdesk{.uid = 1'000, .gid = 1'000, .pid = 1, .groups = {1'000}};

inline MemberKey key(std::string_view text) { return MemberKey::parse(text).value(); }

inline Grant to_helpdesk(std::vector<std::string> tags, std::vector<MemberKey> members) {
  return {.holder = Grant::Holder::kUser,
          .id = 1'000,
          .tags = std::move(tags),
          .members = std::move(members)};
}

class WatchStreamTest : public testing::Test {
 protected:
  void open(std::vector<std::string_view> keys, const PeerIdentity& peer = kRoot) {
    std::vector<MemberKey> parsed;
    for (const auto text : keys) parsed.push_back(key(text));
    stream.reset();
    stream =
        std::make_unique<WatchStream>(std::move(parsed), peer, tokens, policy, [this] { ++wakes; });
  }
  // All that is to be told now, an event a line: "token id:1 text" or "retired id:1 code".
  std::vector<std::string> events() {
    Buffer out;
    std::vector<std::string> found;
    for (;;) {
      const std::size_t wakes_before = wakes;
      stream->fill(out);
      if (out.empty() && wakes == wakes_before) return found;
      const std::string text(out.data());
      out.consume(out.size());
      take_events(text, found);
    }
  }
  void grant(const std::vector<Grant>& grants) {
    policy = AccessPolicy(kOwnUid, grants);
    stream->grants_changed();
  }
  void publish(std::int64_t id, std::string_view token, std::vector<std::string> tags = {}) {
    Published row;
    row.member = MemberId{id};
    row.keys = {MemberKey::from_id(id).value()};
    row.tags = std::move(tags);
    row.access_token = make_secret(token);
    row.fingerprint = fingerprint_of(token);
    row.issued_at = tokens.circle_now();
    row.expires_at = tokens.circle_now() + std::chrono::hours{1};
    tokens.publish(std::move(row));
  }

  // As a sign-out does: the token goes, and what is durable of it comes with another epoch.
  void sign_out(std::int64_t id) {
    Published row = *tokens.table().find(MemberId{id});
    row.drop_token();
    tokens.publish(row);
    ++row.login_epoch[0];
    tokens.publish(std::move(row));
  }
  // The next token after it.
  void renew(std::int64_t id, std::string_view token) {
    const LoginEpoch epoch = tokens.table().find(MemberId{id})->login_epoch;
    Published row;
    row.member = MemberId{id};
    row.keys = {MemberKey::from_id(id).value()};
    row.login_epoch = epoch;
    row.access_token = make_secret(token);
    row.fingerprint = fingerprint_of(token);
    row.issued_at = tokens.circle_now();
    row.expires_at = tokens.circle_now() + std::chrono::hours{1};
    tokens.publish(std::move(row));
  }

  FakeClock clock;
  FakeTokenService tokens{clock};
  AccessPolicy policy{kOwnUid};
  std::size_t wakes = 0;
  std::unique_ptr<WatchStream> stream;

 private:
  static std::string between(const std::string& text, std::string_view before) {
    const auto at = text.find(before);
    if (at == std::string::npos) return "";
    const auto begin = at + before.size();
    return text.substr(begin, text.find('"', begin) - begin);
  }
  static void take_events(const std::string& text, std::vector<std::string>& found) {
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = text.find("\n\n", begin);
      ASSERT_NE(end, std::string::npos) << "not a whole event";
      const std::string event = text.substr(begin, end - begin);
      begin = end + 2;
      const bool token = event.starts_with("event: token\ndata: {");
      const bool out = event.starts_with("event: signed_out\ndata: {");
      EXPECT_TRUE(token || out || event.starts_with("event: retired\ndata: {")) << event;
      found.push_back((token ? "token "
                       : out ? "out "
                             : "retired ") +
                      between(event, R"("member":")") + " " +
                      between(event, token ? R"("access_token":")" : R"("code":")"));
    }
  }
};

using Events = std::vector<std::string>;

}  // namespace rota::watch_stream
