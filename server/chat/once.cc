#include "server/chat/once.h"

#include "base/uuid.h"
#include "storage/keys.h"

namespace holdfast::chat {

std::string_view idempotency_id_of(const command::Command& command) {
  return command.has_request() ? std::string_view(command.request().idempotency_id())
                               : std::string_view(command.idempotency_id());
}

UserId user_of(const command::Command& command) {
  const auto user = UserId::from_bytes(command.user());
  HF_CHECK(user, "the command names its user");
  return *user;
}

std::optional<v1::Error> bad_request_id(WallTime now, const Limits& limits, std::string_view bytes,
                                        std::string_view field) {
  const auto complain = [&](v1::ErrorCode code, const char* what) {
    v1::Error error;
    error.set_code(code);
    error.set_message(std::string(field) + what);
    return error;
  };
  const auto id = RequestId::from_bytes(bytes);
  if (!id || !is_uuid7(*id)) return complain(v1::INVALID_ARGUMENT, ": a UUIDv7, 16 bytes, is required");
  if (time_of(*id) > now + limits.request_id_ahead_max)
    return complain(v1::INVALID_ARGUMENT, ": lies ahead of the server's time");
  if (time_of(*id) < now - limits.request_id_age_max)
    return complain(v1::STALE_ID, ": too old to tell whether it was answered");
  return std::nullopt;
}

std::optional<RequestId> accept_request_id(const Context& context, std::string_view bytes, std::string_view field,
                                           Draft& draft) {
  const auto bad = bad_request_id(context.now, context.limits, bytes, field);
  if (!bad) return RequestId::from_bytes(bytes);
  draft.refuse(bad->code(), bad->message());
  return std::nullopt;
}

std::optional<v1::ServerFrame> answered_before(std::string_view scope, const UserId& user, const RequestId& id,
                                               View& view) {
  return view.get<v1::ServerFrame>(keys::request(scope, user, id));
}

/// Only what went well is kept. A refusal changed nothing, so deciding it anew is as good an answer, and rows that
/// nobody asked for twice would otherwise be written for every mistake.
void once(const Context& context, const command::Command& command, std::string_view scope, View& view, Draft& draft,
          Rule rule) {
  const auto id = accept_request_id(context, idempotency_id_of(command), "idempotency_id", draft);
  if (!id) return;
  const UserId user = user_of(command);
  if (auto before = answered_before(scope, user, *id, view)) {
    draft.frame() = std::move(*before);
    return;
  }
  // A miss of that row doesn't stop us: what the rule asks for is then loaded in the same round.
  rule(context, command, view, draft);
  if (draft.refused()) return;
  if (draft.frame().content_case() == v1::ServerFrame::CONTENT_NOT_SET) draft.frame().mutable_done();
  draft.put(keys::request(scope, user, *id), draft.frame());
}

}  // namespace holdfast::chat
