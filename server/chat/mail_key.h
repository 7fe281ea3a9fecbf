/// The cluster's mail key: what secrets in mails and the places of addresses are derived from.
///
///   secret of an intent   = keyed BLAKE2b-256 (key; purpose || 0 || intent id), recomputed when it is needed
///   hash of an address    = the first 16 bytes of keyed BLAKE2b-256 (key; "address" || 0 || address in lower case)
///
/// A mail that was decided can so be sent by any node, and no secret is in the log or on a disk: rows keep secret_hash()s.
/// Value; the same on all nodes, from the configuration store. It is not rotated: addresses are found by it.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"

namespace holdfast::chat {

class MailKey {
 public:
  static MailKey fresh(Random& random);
  /// Errc::corrupt if it isn't what serialize() gave.
  static Result<MailKey> parse(std::string_view bytes);
  std::string serialize() const { return std::string(as_bytes(key_)); }

  /// 32 bytes. `purpose`: "reset", "verify", …: secrets of one intent for different purposes have nothing in common.
  std::string secret(std::string_view purpose, const IntentId& intent) const;
  /// 16 bytes; their first two place the address in a partition, as an id's do.
  std::string address_hash(std::string_view address) const;

 private:
  explicit MailKey(const Hash32& key) : key_(key) {}
  Hash32 key_;
};

/// What rows keep of a secret: BLAKE2b-256, 32 bytes. Secrets have 256 random bits, so no salt is needed.
std::string secret_hash(std::string_view secret);

}  // namespace holdfast::chat
