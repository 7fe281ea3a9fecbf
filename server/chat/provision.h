/// The rule of operators' provisioning: users without a password, each with a session, many at once.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Answers for each user by itself (Answer.provisioned, in order): made, or a new session of one provisioned before, or
/// its error. RETRY with a user_id: the name is that user's, ask again with a session for it. Audited. Repeating it makes
/// nothing twice, as the sessions' ids are those of the request.
void provision(const Context& context, const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat
