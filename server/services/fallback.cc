#include "server/services/fallback.h"

namespace holdfast::services {

void Fallback::on_event(const bus::EventAt& at, chat::View&, bus::Outcome& outcome) const {
  const log::Event& event = at.event();
  command::Command command;
  switch (event.what_case()) {
    case log::Event::kMissedPossible:
      command.set_user(event.missed_possible().user());
      command.mutable_arm_missed()->set_since_ms(event.missed_possible().time_ms());
      break;
    case log::Event::kAddressVerified:
      command.set_user(event.address_verified().user());
      command.mutable_refresh_mail();
      break;
    case log::Event::kAddressSet:
      command.set_user(event.address_set().user());
      command.mutable_refresh_mail();
      break;
    case log::Event::kAddressFailing:
      command.set_user(event.address_failing().user());
      command.mutable_refresh_mail();
      break;
    case log::Event::kAccountDeleted:
      command.set_user(event.account_deleted().user());
      command.mutable_forget_mail();
      break;
    default: return;
  }
  outcome.commands.emplace_back(at.partition, std::move(command));
}

}  // namespace holdfast::services
