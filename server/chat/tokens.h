/// Resume tokens: any node tells a real one from garbage by itself, without a look-up.
///
///   token   = version:1 key:4 partition:2 user:16 session:16 serial:4 random:16 mac:32     (big-endian, 91 bytes)
///   version = 1
///   mac     = keyed BLAKE2b-256 of all before it, under the key named
///
/// A right mac says that we issued it, no more: whether it is the session's token now is what the session's row says,
/// which keeps a hash of it. So neither the signing key alone nor a copy of the state makes a token that works.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace holdfast::chat {

struct TokenKey {
  std::uint32_t id;
  std::array<std::uint8_t, 32> secret;
  WallTime created;
};

/// The cluster's signing keys: the newest signs, all verify. Value; copied to each worker when it changes.
/// Invariant: never empty; ids rise and are never reused.
class TokenKeys {
 public:
  static TokenKeys first(WallTime now, Random& random);
  /// With one more key, which signs from now on. Keys that signed nothing for `keep` are dropped: a session unused for
  /// so long has ended, and one in use has a newer token.
  TokenKeys rotated(WallTime now, std::chrono::hours keep, Random& random) const;

  /// For the configuration store. Errc::corrupt if it isn't what serialize() gave.
  static Result<TokenKeys> parse(std::string_view bytes);
  std::string serialize() const;

  const TokenKey& newest() const { return keys_.back(); }
  const TokenKey* find(std::uint32_t id) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<TokenKey> keys_;  ///< oldest first
};

/// What a token says.
struct TokenClaims {
  PartitionId partition;  ///< the user's
  UserId user;
  SessionId session;
  std::uint32_t serial = 0;
  std::uint32_t key_id = 0;  ///< ignored by make_token(), which signs with the newest
};

std::string make_token(const TokenKeys& keys, const TokenClaims& claims, Random& random);
/// Nothing if we never issued this, or under a key that is gone. Takes the same time wherever the mac differs.
std::optional<TokenClaims> verify_token(const TokenKeys& keys, std::string_view token);
/// What the session's row keeps: BLAKE2b-256, 32 bytes. The token has 128 random bits, so no salt is needed.
std::string token_hash(std::string_view token);

}  // namespace holdfast::chat
