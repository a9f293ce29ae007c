#include "sqlite/token_opener.h"

#include <memory>
#include <optional>
#include <utility>

namespace rota {
namespace {

// Some milliseconds of work, beside which a thread costs nothing.
constexpr std::size_t kBatch = 4'096;

}  // namespace

void TokenOpener::add(MemberId owner, Token token, const MemberSalt& salt,
                      std::span<const unsigned char> sealed) {
  const TokenBinding binding = binding_of(token, owner, salt);
  gathering_.tokens.push_back({.owner = owner,
                               .token = std::move(token),
                               .binding = binding,
                               .at = gathering_.bytes.size(),
                               .size = sealed.size()});
  gathering_.bytes.insert(gathering_.bytes.end(), sealed.begin(), sealed.end());
  if (gathering_.tokens.size() < kBatch) return;
  collect();
  running_ =
      std::async(std::launch::async, [this, batch = std::exchange(gathering_, {})]() mutable {
        open(batch);
        return std::move(batch);
      });
}

void TokenOpener::finish() {
  collect();
  open(gathering_);
  hand_out(std::exchange(gathering_, {}));
}

void TokenOpener::open(Batch& batch) const {
  for (Sealed& each : batch.tokens) {
    const auto bytes = std::span(batch.bytes).subspan(each.at, each.size);
    std::optional<Secret> value = sealer_.open(bytes, each.binding, form_);
    if (!value) continue;
    each.believed = true;
    each.token.fingerprint = fingerprint_of(value->reveal());
    if (values_ == Values::kOfAccessTokens && each.token.kind == TokenKind::kRefresh) continue;
    each.token.value = SecretPtr(*std::move(value));
  }
}

void TokenOpener::hand_out(Batch batch) const {
  for (Sealed& each : batch.tokens) {
    opened_(each.owner, std::move(each.token), each.believed);
  }
}

void TokenOpener::collect() {
  if (running_.valid()) hand_out(running_.get());
}

}  // namespace rota
