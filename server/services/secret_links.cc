#include "server/services/secret_links.h"

#include "base/hash.h"
#include "base/uuid.h"
#include "server/chat/common_passwords.h"
#include "server/chat/mail_key.h"
#include "server/chat/placement.h"
#include "server/services/link_token.h"

namespace holdfast::services {
namespace {

constexpr std::string_view kCodeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's base 32: no I, L, O, U
constexpr std::size_t kCodeLength = 20, kCodeGroup = 5;

v1::ServerFrame refusal(v1::ErrorCode code, std::string message, std::uint64_t retry_after_ms = 0) {
  v1::ServerFrame frame;
  frame.mutable_error()->set_code(code);
  frame.mutable_error()->set_message(std::move(message));
  frame.mutable_error()->set_retry_after_ms(retry_after_ms);
  return frame;
}
v1::ServerFrame not_ours() { return refusal(v1::PRECONDITION_FAILED, "this link is none of ours"); }
v1::ServerFrame refusal(v1::Error error) {
  v1::ServerFrame frame;
  *frame.mutable_error() = std::move(error);
  return frame;
}
v1::ServerFrame busy() { return refusal(v1::RETRY, "too many passwords to hash at this moment", 1000); }

std::optional<LinkToken> genuine(const chat::Backend& backend, LinkFor what, const std::string& token) {
  auto parsed = LinkToken::parse(token);
  if (!parsed) return std::nullopt;
  const char* purpose = what == LinkFor::reset ? "reset" : "verify";
  if (!equal_secret(parsed->secret, backend.mail_key().secret(purpose, parsed->intent))) return std::nullopt;
  return parsed;
}

PartitionId home_of(const chat::Backend& backend, const UserId& user) {
  return partition_of(user, backend.partitions());
}

/// A command that is decided once, however often it is asked.
command::Command once_of(chat::Backend& backend, const UserId& user) {
  command::Command command;
  command.set_user(user.str());
  command.set_idempotency_id(make_uuid7(backend.now(), backend.random()).str());
  return command;
}

command::Command showing(LinkFor what, const LinkToken& token) {
  command::Command command;
  command.set_user(token.user.str());
  command::ShowSecret& show = *command.mutable_show_secret();
  if (what == LinkFor::reset)
    show.set_reset(token.intent.str());
  else
    show.set_verification(token.intent.str());
  return command;
}

/// The partition of whoever has this name, or of this user.
void ask_one(chat::Backend& backend, PartitionId partition, command::AskReset ask) {
  command::Command command;
  ask.set_intent(backend.random().id<IntentId>().str());
  if (ask.has_user()) command.set_user(ask.user());
  *command.mutable_ask_reset() = std::move(ask);
  backend.ask(partition, std::move(command), [](const command::Answer&) {});
}

void ask_by_address(chat::Backend& backend, const ResetWish& wish) {
  const std::string hash = backend.mail_key().address_hash(wish.email);
  command::Command command;
  command.mutable_ask_by_address()->set_address_hash(hash);
  const PartitionId partition = home_of(backend, *UserId::from_bytes(hash));  // placed as an id is
  backend.ask(partition, std::move(command), [&backend, hash, peer = wish.peer](const command::Answer& answer) {
    for (const std::string& bytes : answer.address_users().users()) {
      const auto user = UserId::from_bytes(bytes);
      if (!user) continue;
      command::AskReset ask;
      ask.set_user(bytes);
      ask.set_address_hash(hash);
      ask.set_peer(peer);
      ask_one(backend, home_of(backend, *user), std::move(ask));
    }
  });
}

}  // namespace

Task<command::Answer> look_at_link(chat::Backend& backend, LinkFor what, std::string token) {
  const auto link = genuine(backend, what, token);
  if (!link) {
    command::Answer answer;
    *answer.mutable_frame() = not_ours();
    co_return answer;
  }
  command::Command command = showing(what, *link);
  command::Answer answer = co_await backend.asking(home_of(backend, link->user), std::move(command));
  co_return answer;
}

Task<v1::ServerFrame> use_reset_link(chat::Backend& backend, std::string token, NewPassword wish) {
  const auto link = genuine(backend, LinkFor::reset, token);
  if (!link) co_return not_ours();
  const PartitionId home = home_of(backend, link->user);
  command::Command show = showing(LinkFor::reset, *link);
  const command::Answer shown = co_await backend.asking(home, std::move(show));
  if (shown.frame().has_error()) co_return shown.frame();
  if (auto common = chat::refuse_common(wish.password, shown.secret_state().username()))
    co_return refusal(std::move(*common));
  Result<std::string> hash = co_await backend.hashing(wish.password);
  if (!hash) co_return busy();
  command::Command command = once_of(backend, link->user);
  command.mutable_use_reset()->set_intent(link->intent.str());
  command.mutable_use_reset()->set_new_hash(std::move(*hash));
  command.mutable_use_reset()->set_peer(wish.peer);
  const command::Answer used = co_await backend.asking(home, std::move(command));
  co_return used.frame();
}

Task<v1::ServerFrame> use_verification_link(chat::Backend& backend, std::string token) {
  const auto link = genuine(backend, LinkFor::verification, token);
  if (!link) co_return not_ours();
  const PartitionId home = home_of(backend, link->user);
  command::Command show = showing(LinkFor::verification, *link);
  const command::Answer shown = co_await backend.asking(home, std::move(show));
  if (shown.frame().has_error()) co_return shown.frame();
  command::Command command = once_of(backend, link->user);
  command::UseVerification& use = *command.mutable_use_verification();
  use.set_intent(link->intent.str());
  use.set_address(shown.secret_state().address());
  use.set_address_hash(backend.mail_key().address_hash(use.address()));
  const command::Answer used = co_await backend.asking(home, std::move(command));
  co_return used.frame();
}

Task<v1::ServerFrame> use_recovery_code(chat::Backend& backend, std::string username, std::string code,
                                        NewPassword wish) {
  const std::string code_hash = recovery_code_hash(code);
  const PartitionId home = chat::partition_of_name(username, backend.partitions());
  command::Command show;
  show.mutable_show_recovery()->set_username(username);
  show.mutable_show_recovery()->set_code_hash(code_hash);
  const command::Answer shown = co_await backend.asking(home, std::move(show));
  if (shown.frame().has_error()) co_return shown.frame();
  const auto user = UserId::from_bytes(shown.secret_state().user());
  HF_CHECK(user, "a user's id has 16 bytes");
  if (auto common = chat::refuse_common(wish.password, username)) co_return refusal(std::move(*common));
  Result<std::string> hash = co_await backend.hashing(wish.password);
  if (!hash) co_return busy();
  command::Command command = once_of(backend, *user);
  command.mutable_use_recovery()->set_code_hash(code_hash);
  command.mutable_use_recovery()->set_new_hash(std::move(*hash));
  command.mutable_use_recovery()->set_peer(wish.peer);
  const command::Answer used = co_await backend.asking(home, std::move(command));
  co_return used.frame();
}

void ask_for_reset(chat::Backend& backend, const ResetWish& wish) {
  if (wish.username.empty()) return ask_by_address(backend, wish);
  command::AskReset ask;
  ask.set_username(wish.username);
  ask.set_peer(wish.peer);
  ask_one(backend, chat::partition_of_name(wish.username, backend.partitions()), std::move(ask));
}

std::string draw_recovery_code(Random& random) {
  std::string code;
  for (std::size_t i = 0; i < kCodeLength; ++i) {
    if (i != 0 && i % kCodeGroup == 0) code += '-';
    code += kCodeLetters[random.below(kCodeLetters.size())];
  }
  return code;
}

std::string recovery_code_hash(const std::string& code) {
  std::string plain;
  for (char c : code) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    plain += c;
  }
  return chat::secret_hash("recovery " + plain);
}

}  // namespace holdfast::services
