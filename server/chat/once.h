/// The clients' ids for requests: what is accepted as one.
#pragma once

#include <optional>
#include <string_view>

#include "server/chat/rules.h"

namespace holdfast::chat {

/// The idempotency id of the client's request that this command is, or comes from.
std::string_view idempotency_id_of(const command::Command& command);

/// INVALID_ARGUMENT if it is no UUIDv7 or lies more than ten minutes ahead, STALE_ID if it is older than seven days;
/// nothing if it will do. `field` names it to the client.
std::optional<v1::Error> bad_request_id(WallTime now, const Limits& limits, std::string_view bytes,
                                        std::string_view field);

/// The id, or nothing and that refusal, by log time.
std::optional<RequestId> accept_request_id(const Context& context, std::string_view bytes, std::string_view field,
                                           Draft& draft);

/// What `rule` answered to the same request before, if it did. Nothing otherwise, and while the row is missing().
std::optional<v1::ServerFrame> answered_before(std::string_view scope, const UserId& user, const RequestId& id,
                                               View& view);

/// The user on whose behalf the command is. CHECKs: front doors send nothing without one where a rule needs it.
UserId user_of(const command::Command& command);

/// Idempotent where it is decided at the asking user: a row of the table names the rule this way.
template <Rule rule>
void once_at_user(const Context& context, const command::Command& command, View& view, Draft& draft) {
  once(context, command, command.user(), view, draft, rule);
}

}  // namespace holdfast::chat
