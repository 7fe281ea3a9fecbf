/// Answers by mail, as they come in: whose is the secret in the address, and the post.
///
/// Tasks over a worker's Backend; what stands before them (an LMTP listener) says what goes to whom as replies.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "server/chat/backend.h"

namespace holdfast::services {

struct ReplyTo {
  UserId user;
  ConversationId conversation;
  std::string hash;  ///< what it was found by: whether it still stands is asked again when it is used
};

/// `secret`: 16 bytes. not_found: nobody's, or not any more; retry_later: its partition has no answer now.
Task<Result<ReplyTo>> find_reply(chat::Backend& backend, PartitionId partition, std::string secret);

/// Posts `text` as that user. The same Message-ID twice is one post, for a month; also if the first attempt's outcome was
/// never heard. not_found: the address has become void since it was found, the account, or the conversation, is gone; permission_denied: the user has left it, or is
/// barred; too_large; invalid_argument: what can't be posted at all, an empty text, say; retry_later.
Task<Status> post_reply(chat::Backend& backend, ReplyTo to, std::string message_id, std::string text);

}  // namespace holdfast::services
