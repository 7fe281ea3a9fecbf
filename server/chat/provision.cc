#include "server/chat/provision.h"

#include "server/chat/account_address.h"
#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

using One = command::Provision::One;

void say(v1::ProvisionedUser& user, v1::ErrorCode code, std::string message) {
  user.mutable_error()->set_code(code);
  user.mutable_error()->set_message(std::move(message));
}

/// And the address, where one is given.
void give_session(const One& one, SessionBook& book, View& view, Draft& draft, v1::ProvisionedUser& answer) {
  if (!book.add(one.session())) return say(answer, v1::SESSION_ENDED, "the session of this request has ended");
  if (!one.email().empty()) set_verified_address(one.email(), one.address_hash(), book, view, draft);
  book.save();
  answer.set_user_id(one.user());
  answer.set_session_id(one.session().session());
}

void make(const Context& context, const One& one, const UserId& user, const std::string& peer, View& view, Draft& draft,
          v1::ProvisionedUser& answer) {
  state::Name name;
  name.set_user(user.str());
  draft.put(keys::name(one.username()), name);
  state::Account account;
  account.set_username(one.username());
  account.set_created_ms(to_ms(context.now));
  SessionBook book(context, user, std::move(account), view, draft);
  give_session(one, book, view, draft, answer);
  log::AccountCreated& event = *draft.emit().mutable_account_created();
  event.set_user(user.str());
  event.set_username(one.username());
  event.set_provisioned(true);
  event.set_peer(peer);
}

/// The name is taken. An account with a password is its owner's: no operator gets a session of it this way.
void take_existing(const Context& context, const One& one, const state::Name& name, View& view, Draft& draft,
                   v1::ProvisionedUser& answer) {
  if (name.deleted()) return say(answer, v1::ALREADY_EXISTS, "the name was another's, now deleted");
  SessionBook book(context, *UserId::from_bytes(name.user()), view, draft);
  if (!book.exists()) return;  // missing for now: an account goes together with its name
  if (!book.account().password_hash().empty()) return say(answer, v1::ALREADY_EXISTS, "username: taken");
  answer.set_user_id(name.user());
  if (one.user() != name.user()) return say(answer, v1::RETRY, "the name has a user already");
  give_session(one, book, view, draft, answer);
}

void audit(const command::Provision& provision, const v1::ProvisionReply& reply, Draft& draft) {
  std::string target;
  for (const auto& user : reply.users())
    if (!user.has_error()) target += (target.empty() ? "" : " ") + user.username();
  if (target.empty()) return;
  log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
  acted.set_operation("provision");
  acted.set_target(std::move(target));
  acted.set_peer(provision.peer());
}

}  // namespace

void provision(const Context& context, const command::Command& command, View& view, Draft& draft) {
  if (!accept_request_id(context, command.idempotency_id(), "idempotency_id", draft)) return;
  v1::ProvisionReply& reply = *draft.answer().mutable_provisioned();
  for (const One& one : command.provision().users()) {
    const auto user = UserId::from_bytes(one.user());
    HF_CHECK(user && partition_of(*user, context.partitions) == context.partition,
             "a user is drawn into its partition");
    v1::ProvisionedUser& answer = *reply.add_users();
    answer.set_username(one.username());
    if (const auto name = view.get<state::Name>(keys::name(one.username())))
      take_existing(context, one, *name, view, draft, answer);
    else
      make(context, one, *user, command.provision().peer(), view, draft, answer);
  }
  audit(command.provision(), reply, draft);
}

}  // namespace holdfast::chat
