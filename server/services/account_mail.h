/// Mails about what happened to an account: the subscriber that learns of it, and the rule that writes the mail.
///
///   the address was set          verify_address to it; address_changed to the one before, if that was verified
///   the password was changed     password_changed, or recovery_used after an operator's code
///   the password is locked       login_locked, with a link to set another; one an hour at most
///   a session was stolen         session_stolen
///
/// All but the first go to a verified address only, and can be switched off. The same subscriber tells the partitions of addresses who verified them,
/// and who has them no more.
#pragma once

#include "server/bus/subscriber.h"
#include "server/chat/rules.h"

namespace holdfast::services {

/// Stateless.
class AccountMail final : public bus::Subscriber {
 public:
  std::string_view name() const override { return "account_mail"; }
  void on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const override;
};

/// A rule: what the subscriber sends to its own partition. The mails' intents follow from the event.
void mail_account(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);

}  // namespace holdfast::services
