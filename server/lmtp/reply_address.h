/// The address that answers by mail go to: `reply+TOKEN@domain`.
///
///   TOKEN = base32 (RFC 4648, without padding, written in lower case) of
///           partition:2 big-endian || secret:16         18 bytes, 29 characters
///
/// The token alone says who answers and where; the From header decides nothing. So it is a secret: never log one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace holdfast::lmtp {

struct ReplyToken {
  PartitionId partition;  ///< that knows the secret; as the mail says, so it may be none of ours
  std::array<std::uint8_t, 16> secret{};

  friend bool operator==(const ReplyToken&, const ReplyToken&) = default;
};

inline constexpr std::size_t kReplyTokenCharacters = 29;

std::string format_reply_address(const ReplyToken& token, std::string_view domain);

/// Letters count alike in either case: mail servers on the way may change it. `domain` empty: any domain will do, since
/// the mail server in front of us decides for which ones it hands mail over. Fails with not_found, without the address
/// in its message.
Result<ReplyToken> parse_reply_address(std::string_view address, std::string_view domain);

}  // namespace holdfast::lmtp
