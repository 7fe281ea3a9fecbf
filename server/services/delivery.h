/// Delivery: takes each change of a conversation to the inboxes of the members whose interval covers it.
///
/// A subscriber of the bus, pure. One command for each partition in which such members live. Changes stand whole in
/// inboxes of groups of up to 100 members and 1 KiB, as references beyond, and as heads in large groups. It also takes
/// read positions to their owner's list, and leads deleted accounts out of their conversations.
#pragma once

#include "server/bus/subscriber.h"
#include "server/chat/limits.h"

namespace holdfast::services {

class Delivery final : public bus::Subscriber {
 public:
  explicit Delivery(const chat::Limits& limits) : limits_(limits) {}
  std::string_view name() const override { return "delivery"; }
  void on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const override;

 private:
  void change_made(const bus::EventAt& at, const log::ChangeMade& made, chat::View& view, bus::Outcome& outcome) const;
  void position_moved(const bus::EventAt& at, const log::PositionMoved& moved, chat::View& view,
                      bus::Outcome& outcome) const;

  const chat::Limits& limits_;
};

}  // namespace holdfast::services
