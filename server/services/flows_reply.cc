#include "server/services/flows_reply.h"

#include "base/hash.h"
#include "base/uuid.h"
#include "server/services/replies.h"
#include "server/services/reply_token.h"

namespace holdfast::services {
namespace {

std::string answer_hash(const ReplyTo& to, std::string_view message_id) {
  const Hash32 hash = blake2b_256({"holdfast answer", to.conversation.bytes(), message_id});
  return std::string(as_bytes(hash).substr(0, kReplyHashBytes));
}

/// What a refusal is to who hands over mail. An id that is too old stands for a mail that was handed over a week before.
Errc errc_of(v1::ErrorCode code) {
  switch (code) {
    case v1::NOT_FOUND:
    case v1::SESSION_ENDED: return Errc::not_found;
    case v1::PERMISSION_DENIED:
    case v1::ACCOUNT_BANNED: return Errc::permission_denied;
    case v1::TOO_LARGE: return Errc::too_large;
    case v1::PRECONDITION_FAILED:
    case v1::STALE_ID:
    case v1::INVALID_ARGUMENT:
    case v1::UNSUPPORTED: return Errc::invalid_argument;
    case v1::STORAGE_FULL: return Errc::storage_full;
    default: return Errc::retry_later;
  }
}

Error error_of(const v1::Error& error) { return {errc_of(error.code()), error.message()}; }

command::Command finding(const std::string& hash) {
  command::Command command;
  command.mutable_find_reply()->set_hash(hash);
  return command;
}

}  // namespace

Task<Result<ReplyTo>> find_reply(chat::Backend& backend, PartitionId partition, std::string secret) {
  if (partition.value >= backend.partitions()) co_return Error{Errc::not_found, "a partition that there is not"};
  const std::string hash = reply_hash(secret);
  const command::Answer answer = co_await backend.asking(partition, finding(hash));
  if (answer.frame().has_error()) co_return error_of(answer.frame().error());
  const auto user = UserId::from_bytes(answer.reply_state().user());
  const auto conversation = ConversationId::from_bytes(answer.reply_state().conversation());
  if (!user || !conversation) co_return Error{Errc::retry_later, "no answer"};
  co_return ReplyTo{*user, *conversation, hash};
}

Task<Status> post_reply(chat::Backend& backend, ReplyTo to, std::string message_id, std::string text) {
  const PartitionId home = partition_of(to.user, backend.partitions());
  const command::Answer stands = co_await backend.asking(home, finding(to.hash));
  if (stands.frame().has_error()) co_return error_of(stands.frame().error());

  command::Command claim;
  claim.set_user(to.user.str());
  claim.mutable_claim_answer()->set_answer(answer_hash(to, message_id));
  claim.mutable_claim_answer()->set_client_message_id(make_uuid7(backend.now(), backend.random()).str());
  const command::Answer claimed = co_await backend.asking(home, std::move(claim));
  if (claimed.frame().has_error()) co_return error_of(claimed.frame().error());

  command::Command command;
  command.set_user(to.user.str());
  v1::Post& post = *command.mutable_request()->mutable_post();
  post.set_conversation_id(to.conversation.str());
  post.set_client_message_id(claimed.claimed_answer().client_message_id());
  post.set_body(std::move(text));
  const PartitionId partition = partition_of(to.conversation, backend.partitions());
  const command::Answer posted = co_await backend.asking(partition, std::move(command));
  if (posted.frame().has_error()) co_return error_of(posted.frame().error());
  co_return Ok{};
}

}  // namespace holdfast::services
