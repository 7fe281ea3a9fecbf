/// A whole server over maps, for tests of services: FakeBackend with the bus, timers and intents.
///
/// What a command leads to is delivered to the services' subscribers as the bus does it, what is due is run, and intents
/// are begun. A crash takes what waits in memory; what the bus had not brought to its target yet is brought again, and
/// timers that stand are run again.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "server/services/outside.h"
#include "server/services/services.h"
#include "tests/support/fake_backend.h"

namespace holdfast::services {

class FakeNode final : public chat::FakeBackend {
 public:
  explicit FakeNode(std::uint16_t partitions = 4);

  /// Who carries intents out; null: nobody, and they wait.
  Outside* outside = nullptr;

  void ask(PartitionId partition, command::Command command, std::function<void(command::Answer)> then) override;

  /// Runs what is due now, and what that leads to, until nothing is.
  void run_timers();
  /// Time goes on by `by`, in steps in which all that becomes due is run.
  void pass(std::chrono::milliseconds by, std::chrono::milliseconds step = std::chrono::seconds(10));
  /// Hands out what is due, does so many steps, loses what waits then, and starts again.
  void crash(std::size_t steps);

  /// Of all partitions: events that were emitted.
  std::vector<log::Event> events() const;

 private:
  struct Sent {
    PartitionId target;
    command::Command command;
  };
  bool hand_out_due();
  void commit(PartitionId partition);
  void publish(const bus::EventAt& at);
  void send(std::uint64_t number);
  void begin(const chat::BeginIntent& intent);

  chat::Limits limits_;
  Services services_{limits_};
  std::map<std::uint16_t, std::uint64_t> seqs_;
  std::map<std::uint64_t, Sent> under_way_;  ///< of subscribers, in order, until they are answered
  std::uint64_t next_sent_ = 1;
  std::set<std::string> running_;  ///< due rows that were handed out, behind their partition
};

}  // namespace holdfast::services
