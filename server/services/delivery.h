/// Delivery: takes each change of a conversation to the inboxes of the members whose interval covers it.
///
/// A subscriber of the bus, pure. One command for each partition in which such members live. Changes of up to 1 KiB stand
/// whole in inboxes, in groups of more than 100 members if they are no more than 256 KiB in all inboxes together; others
/// as references, and in large groups as heads. It also takes read positions to their owner's list, and leads deleted
/// accounts out of their conversations.
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
  bool stands_whole(std::size_t bytes, std::uint64_t members) const;
  void change_made(const bus::EventAt& at, const log::ChangeMade& made, chat::View& view, bus::Outcome& outcome) const;
  void position_moved(const bus::EventAt& at, const log::PositionMoved& moved, chat::View& view,
                      bus::Outcome& outcome) const;

  const chat::Limits& limits_;
};

}  // namespace holdfast::services
