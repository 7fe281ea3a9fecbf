#include "server/services/verification_mail.h"

#include "server/chat/mail_key.h"

namespace holdfast::services {
namespace {

Task<Addition> assemble(chat::Backend& backend, chat::BeginIntent intent) {
  Addition addition;
  if (intent.intent.attempts() > 0) co_return addition;
  const std::string hash = backend.mail_key().address_hash(intent.intent.mail().to());
  const auto placed = UserId::from_bytes(hash);  // as an id is
  HF_CHECK(placed, "an address's hash has 16 bytes");
  command::Command ask;
  ask.set_user(intent.user.str());
  ask.mutable_ask_by_address()->set_address_hash(hash);
  const command::Answer answer = co_await backend.asking(partition_of(*placed, backend.partitions()), std::move(ask));
  addition.unwanted = answer.frame().error().code() == v1::RATE_LIMITED;
  addition.later = answer.frame().has_error() && !addition.unwanted;
  co_return addition;
}

}  // namespace

Assemble assemble_verification() { return assemble; }

}  // namespace holdfast::services
