/// The secret in the address that answers to a mail go to: server/lmtp/reply_address.h reads what is written here.
///
///   token = base32 (RFC 4648, without padding, in lower case) of partition:2 big-endian || secret:16    29 characters
///
/// Never in a log line.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace holdfast::chat {
class MailKey;
}

namespace holdfast::services {

/// 16 bytes, derived from the intent of the mail that offers it.
std::string reply_secret(const chat::MailKey& key, const IntentId& intent);
/// What a row keeps of it, 16 bytes.
std::string reply_hash(std::string_view secret);
std::string format_reply_token(PartitionId partition, std::string_view secret);

}  // namespace holdfast::services
