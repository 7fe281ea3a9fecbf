#include "server/services/address_health.h"

#include "storage/keys.h"

namespace holdfast::services {
namespace {

/// Nothing: it is not the account's address any more.
std::optional<state::Account> account_at(const UserId& user, const std::string& address, chat::View& view) {
  auto account = view.get<state::Account>(keys::account(user));
  if (account && account->email() != address) account.reset();
  return account;
}

void give_up(const UserId& user, state::Account& account, chat::Draft& draft) {
  log::AddressFailing& failing = *draft.emit().mutable_address_failing();
  failing.set_user(user.str());
  failing.set_hash_before(account.address_hash());
  account.set_email_failing(true);
  account.set_email_verified(false);
  account.clear_address_hash();
  draft.effect(chat::TellUsers{{user}, email_failing(account)});
}

}  // namespace

void note_mail_taken(const UserId& user, const std::string& address, chat::View& view, chat::Draft& draft) {
  auto account = account_at(user, address, view);
  if (!account || account->mails_refused() == 0) return;
  account->clear_mails_refused();
  draft.put(keys::account(user), *account);
}

void note_mail_refused(const UserId& user, const std::string& address, chat::View& view, chat::Draft& draft) {
  auto account = account_at(user, address, view);
  if (!account || account->email_failing()) return;
  account->set_mails_refused(account->mails_refused() + 1);
  if (account->mails_refused() >= kRefusalsMax) give_up(user, *account, draft);
  draft.put(keys::account(user), *account);
}

v1::ServerFrame email_failing(const state::Account& account) {
  v1::ServerFrame frame;
  frame.mutable_email_failing()->set_email(account.email());
  return frame;
}

}  // namespace holdfast::services
