/// Whether the messages of one conversation reach everybody in it: all of them, once, in order.
///
/// One writer, any number of viewers (devices); where Checker asks three places of a pair, this asks as many as there
/// are. Told of every message sent, acknowledged and shown. Each viewer must be shown the conversation's changes 1, 2,
/// 3 … without gaps and the writer's messages in the order of sending, each under one number for all. Only a message
/// that the server refused for the moment may come later than its place, behind those that were on their way with it.
/// Pure value; one thread. Memory: some bytes for each message that a viewer has not been shown yet, and 16 for each
/// viewer.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "tools/holdfast-load/findings.h"

namespace holdfast::load {

class Ledger {
 public:
  explicit Ledger(std::size_t viewers) : viewers_(viewers) {}

  /// The next message, which is to go at this moment; its sequence number counts from 0.
  std::uint64_t sent(SteadyTime planned);
  /// The server has it under `number`. The moment it was to go; nothing if it was never sent, or acknowledged before.
  std::optional<SteadyTime> acknowledged(std::uint64_t sequence, std::uint64_t number);
  /// The server refused it for the moment, and it was sent again. Before it is acknowledged, or before finish().
  void put_off(std::uint64_t sequence);
  /// A viewer was shown a change; `sequence` if it is one of our messages. The moment that message was to go, if this
  /// is the first time.
  std::optional<SteadyTime> shown(std::size_t viewer, std::uint64_t number, std::optional<std::uint64_t> sequence);

  /// The viewer's next change is this one: it came to the conversation late, or is looked at from here on only.
  void begins_at(std::size_t viewer, std::uint64_t number);
  /// So many of the messages were acknowledged, all told, to whoever sends them in another process.
  void acknowledged_elsewhere(std::uint64_t count) { acknowledged_ = count; }

  std::size_t viewers() const { return viewers_.size(); }
  std::uint64_t sent_count() const { return first_kept_ + kept_.size(); }
  std::uint64_t acknowledged_count() const { return acknowledged_; }
  /// Messages that this viewer was shown.
  std::uint64_t shown_count(std::size_t viewer) const { return viewers_.at(viewer).shown; }
  /// Acknowledged messages that this viewer has not been shown.
  std::uint64_t missing(std::size_t viewer) const;
  /// Every message has its acknowledgement, and every viewer was shown it.
  bool settled() const;

  /// When nothing more comes: what a viewer was never shown is added as lost, and what was overtaken for no reason that
  /// anybody told as out of order.
  Findings finish() const;
  const Findings& findings() const { return findings_; }

 private:
  struct Message {
    SteadyTime planned;
    std::uint32_t number = 0;  ///< 0: nobody has said it yet
    bool acknowledged = false;
    bool put_off = false;    ///< refused for the moment
    bool overtaken = false;  ///< somebody was shown a later one before it
  };
  struct Viewer {
    std::uint32_t last_number = 0;
    std::uint32_t shown = 0;          ///< of our messages
    std::uint64_t next_sequence = 0;  ///< behind the latest of our messages that it was shown
  };

  void overtake(Message& message);
  Message* find(std::uint64_t sequence);
  void check_number(Message& message, std::uint64_t number);
  void forget_settled();

  std::vector<Viewer> viewers_;
  std::deque<Message> kept_;  ///< those that somebody still waits for, from `first_kept_` on
  std::uint64_t first_kept_ = 0;
  std::uint64_t acknowledged_ = 0;
  Findings findings_;
};

}  // namespace holdfast::load
