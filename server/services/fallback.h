/// E-mail fallback, as a subscriber: what may have to be mailed sets the user's timer (missed.h), and what a deleted account
/// leaves behind goes. All in the user's own partition.
#pragma once

#include "server/bus/subscriber.h"

namespace holdfast::services {

class Fallback final : public bus::Subscriber {
 public:
  std::string_view name() const override { return "fallback"; }
  void on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const override;
};

}  // namespace holdfast::services
