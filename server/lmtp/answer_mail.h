/// From a mail's bytes to what is to be posted, or to why it isn't.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "server/lmtp/auto_mail.h"
#include "server/lmtp/mime.h"
#include "server/lmtp/reply.h"

namespace holdfast::lmtp {

struct Answer {
  std::string message_id;  ///< of the mail, or made of its bytes
  std::string text;        ///< not empty
};

/// Refuses what is automatic, broken, or has nothing in it that the sender wrote.
std::variant<Answer, Reply> read_answer(std::string_view mail, const AutoMailRules& rules, const MimeBounds& bounds);

}  // namespace holdfast::lmtp
