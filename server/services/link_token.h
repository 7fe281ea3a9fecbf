/// The token in a mailed link: which user's partition knows it, of which intent it is, and the secret that proves it.
///
///   token = base64url (RFC 4648, 5, without padding) of user:16 intent:16 secret:32         86 characters
///
/// Never in a log line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace holdfast::services {

struct LinkToken {
  UserId user;
  IntentId intent;
  std::string secret;  ///< 32 bytes

  std::string str() const;
  /// Nothing if it is none of ours. Only one text is a given token: bits that say nothing have to be zero.
  static std::optional<LinkToken> parse(std::string_view token);
};

}  // namespace holdfast::services
