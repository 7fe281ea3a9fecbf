/// The bus: committed events of the partitions, in log order, and who learns from them.
///
/// A subscriber runs where the partition's primary is. For each event it says, as a pure function of the event and of rows
/// (with chat's rule: a missing row means that the outcome is thrown away and the step runs again), which commands are
/// sent to which partitions. Each command carries (subscriber, source partition, sequence, event): the target takes it
/// once, in order. The subscriber's cursor is kept in the source partition and rides in its next entry.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "proto/command.pb.h"
#include "proto/log.pb.h"
#include "server/chat/view.h"

namespace holdfast::bus {

struct EventAt {
  PartitionId partition;
  std::uint16_t partitions;
  const log::Entry& entry;
  std::uint32_t index;  ///< of the event in the entry
  const log::Event& event() const { return entry.events(static_cast<int>(index)); }
};

/// What an event leads to.
struct Outcome {
  std::vector<std::pair<PartitionId, command::Command>> commands;  ///< at most one for each target partition
  std::vector<chat::TellUsers> tells;                              ///< ephemeral: to whoever is connected, anywhere
};

class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual std::string_view name() const = 0;
  virtual void on_event(const EventAt& at, chat::View& view, Outcome& outcome) const = 0;
};

}  // namespace holdfast::bus
