#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <span>
#include <vector>

#include "model/record.h"
#include "sqlite/bound_bytes.h"
#include "sqlite/sealer.h"

namespace rota {

// Opens sealed tokens on a second thread while its owner reads the next rows: a third of a start
// with many members is decryption and hashing. A handful is opened at once, on the owner's thread.
//
// Only the owner's thread calls it, and `opened` is called on that thread only, from within add()
// and finish(), once for each token, in the order in which they were added. The sealer must outlive
// it and must not be bound to another database meanwhile.
class TokenOpener {
 public:
  // Which values are kept once the seal has been opened.
  enum class Values {
    kAll,
    kOfAccessTokens,  // those of refresh tokens are wiped at once
  };
  // `token`: as it was added, with its fingerprint and, if it is kept, its value. `believed`: false
  // if it could not be opened.
  using Opened = std::function<void(MemberId owner, Token token, bool believed)>;

  TokenOpener(const Sealer& sealer, SealForm form, Values values, Opened opened)
      : sealer_(sealer), form_(form), values_(values), opened_(std::move(opened)) {}
  // Waits for the second thread.
  ~TokenOpener() = default;
  TokenOpener(const TokenOpener&) = delete;
  TokenOpener& operator=(const TokenOpener&) = delete;

  // `token`: all of its row but the value, to which the sealed bytes are bound. Copies the bytes.
  void add(MemberId owner, Token token, const MemberSalt& salt,
           std::span<const unsigned char> sealed);
  // All that were added have been opened when this returns.
  void finish();

 private:
  struct Sealed {
    MemberId owner{};
    Token token;
    TokenBinding binding;
    std::size_t at = 0;  // where its bytes begin in the batch's
    std::size_t size = 0;
    bool believed = false;
  };
  struct Batch {
    std::vector<Sealed> tokens;
    std::vector<unsigned char> bytes;
  };

  // On the second thread, or on the owner's for the last ones.
  void open(Batch& batch) const;
  void hand_out(Batch batch) const;
  void collect();

  const Sealer& sealer_;
  const SealForm form_;
  const Values values_;
  const Opened opened_;
  Batch gathering_;
  std::future<Batch> running_;  // its destructor waits
};

}  // namespace rota
