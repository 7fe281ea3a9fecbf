/// What members say: posts, and what happens to them afterwards. In the conversation's partition.
///
/// A post's row always shows its present state: the newest body, reactions, that it is deleted. The edits' own rows
/// keep what they said until the post is deleted; then every body is gone.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// The same client_message_id gives the same number, also after a failover. In a direct conversation an id above the
/// newest one seen of that user is new without a look-up.
void post(const Context&, const command::Command&, View&, Draft&);
/// By the author.
void edit_post(const Context&, const command::Command&, View&, Draft&);
/// By the author, and in groups by admins.
void delete_post(const Context&, const command::Command&, View&, Draft&);
/// Adding what is there and removing what is not take no number.
void react(const Context&, const command::Command&, View&, Draft&);

}  // namespace holdfast::chat
