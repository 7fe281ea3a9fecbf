/// Answers by mail: who answers where is told by a secret in the address; which answers came already.
///
/// The secret is derived from the intent of the mail that offers it (chat/mail_key.h); a row keeps its hash, in the
/// user's partition, until its time is over. An answer is posted under an id that the first attempt notes: a mail server
/// that hands the same mail over again, to whichever node, makes no second post.
#pragma once

#include <string_view>

#include "server/services/due.h"

namespace holdfast::services {

inline constexpr std::size_t kReplyHashBytes = 16;
/// Answers of a user that are taken at once, and in an hour from then on.
inline constexpr std::uint32_t kAnswersOfAnHour = 30;

/// From now on an answer with the secret of this hash is the user's, into this conversation. Again: nothing happens.
void take_answers(const chat::Context& context, const UserId& user, const ConversationId& conversation,
                  std::string_view hash, chat::View& view, chat::Draft& draft);

/// What the user was given until now is void: whoever reads the old mailbox, or had the old password, answers no more.
void void_answers(const chat::Context& context, const UserId& user, chat::Draft& draft);

// Rules.
/// NOT_FOUND if there is no such hash, its time is over, it is void, or the account is gone.
void find_reply_row(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// Answers the id under which this answer is to be posted: the one noted before, else the command's. Refused as posting
/// would be where an operator has barred the account (ACCOUNT_BANNED, ACCOUNT_SUSPENDED); NOT_FOUND without one. RATE_LIMITED: one that is new, and too
/// many lately.
void claim_answer(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void reply_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);
void answered_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);

}  // namespace holdfast::services
