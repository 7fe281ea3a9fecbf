#include "server/chat/account_address.h"

#include "server/chat/ways_back.h"

namespace holdfast::chat {

void set_address(const std::string& email, SessionBook& book, View& view, Draft& draft) {
  state::Account& account = book.change_account();
  if (account.email_verified() && account.email() == email) return;
  log::AddressSet& set = *draft.emit().mutable_address_set();
  set.set_user(book.user().str());
  set.set_address(email);
  if (account.email_verified()) set.set_before(account.email());
  set.set_hash_before(account.address_hash());
  account.set_email(email);
  account.set_email_verified(false);
  account.clear_address_hash();
  account.clear_mails_refused();
  account.clear_email_failing();
  void_ways_back(book.user(), view, draft);
}

void set_verified_address(const std::string& email, const std::string& hash, SessionBook& book, View& view,
                          Draft& draft) {
  if (book.account().email_verified() && book.account().email() == email) return;
  set_address(email, book, view, draft);
  state::Account& account = book.change_account();
  account.set_email_verified(true);
  account.set_address_hash(hash);
  log::AddressVerified& verified = *draft.emit().mutable_address_verified();
  verified.set_user(book.user().str());
  verified.set_address_hash(hash);
}

}  // namespace holdfast::chat
