/// Who gets mail about what reached no device, and how: what users choose, over what the server does by default.
///
/// Mail goes to an account's address, and only once that is verified. Chat's delivery asks nothing of this: the mailbox
/// has a field, `watch`, that is kept here.
/// Invariant: a mailbox that watches may belong to a user who gets no mail any more (an address was changed), which the
/// next timer puts right; one that does not watch belongs to nobody who wants mail and has a verified address.
#pragma once

#include <chrono>
#include <string>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::services {

/// What holds for a user at this moment.
struct MailWish {
  v1::MailMode mode = v1::MAIL_OFF;
  bool watches =
      false;  ///< the user has not switched mail off, and has a verified address: if it is off, it is for now
  std::chrono::seconds delay{};
  std::string language;  ///< empty: the server's
  std::string address, username;

  bool is_off() const { return mode == v1::MAIL_OFF; }
};
/// Off, too, where an operator has switched it off for all, or barred the account. Reads the account and the settings.
MailWish mail_wish(const chat::Context& context, const UserId& user, chat::View& view);
/// Of all mails to the user; empty: the server's.
std::string language_of(const UserId& user, chat::View& view);

// Rules.
/// The client's. INVALID_ARGUMENT for a mode that is none, a delay beyond 1 minute to 7 days, and a language that is no
/// short tag (RFC 5646's letters). What arrived before mail was switched on is not mailed.
void set_mail_settings(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void get_mail_settings(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// Whether the user gets mail may have changed.
void refresh_mail(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// As SetMailSettings{MAIL_OFF}, with all else as it was.
void stop_mail(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// The account is deleted: its rows go.
void forget_mail(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);

}  // namespace holdfast::services
