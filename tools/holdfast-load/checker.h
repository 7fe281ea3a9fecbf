/// Whether the messages of one pair are all there, once, in order.
///
/// Told of every message sent, acknowledged and seen, where "seen" is what a device was given live, or what the history
/// says afterwards. Each place must show the conversation's changes 1, 2, 3 … without gaps and the sender's messages in
/// the order of sending, each under the number it was acknowledged with. Only a message that the server refused for the
/// moment may come later than its place, behind those that were on their way with it. Pure value; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "tools/holdfast-load/findings.h"

namespace holdfast::load {

class Checker {
 public:
  enum class Place : std::uint8_t { receiver, sender, history };

  /// Lost here is also what one place was shown and another one lacks.
  using Findings = load::Findings;

  /// The next message, to be sent at this moment; its sequence number counts from 0.
  std::uint64_t sent(SteadyTime planned);
  /// The server has it under `number`. The moment it was to be sent; nothing if it was never sent.
  std::optional<SteadyTime> acknowledged(std::uint64_t sequence, std::uint64_t number);
  /// The server refused it for the moment, and it was sent again. Before it is acknowledged.
  void put_off(std::uint64_t sequence);
  /// A change was shown; `sequence` if it is one of our messages. The moment that message was to be sent, if it is the
  /// first time in this place.
  std::optional<SteadyTime> seen(Place place, std::uint64_t number, std::optional<std::uint64_t> sequence);

  /// Everybody was shown everything acknowledged so far.
  bool settled() const { return waiting_.empty(); }
  std::uint64_t sent_count() const { return states_.size(); }
  std::uint64_t unacknowledged() const { return sent_count() - acknowledged_; }

  /// When nothing more comes: what was lost is added, and what was overtaken for no reason that anybody told. Without
  /// the history, if that was not read.
  Findings finish(bool with_history);
  const Findings& findings() const { return findings_; }

 private:
  static constexpr std::uint8_t kAcknowledged = 8;
  static constexpr std::uint8_t kPutOff = 16;
  static constexpr std::uint8_t kOvertaken = 32;
  static std::uint8_t bit(Place place) { return static_cast<std::uint8_t>(1u << static_cast<unsigned>(place)); }

  struct Shown {
    std::uint64_t last_number = 0;
    std::uint64_t next_sequence = 0;
  };

  void check_number(std::uint64_t sequence, std::uint64_t number);
  SteadyTime planned(std::uint64_t sequence) const;
  void overtake(std::uint8_t& state);
  void forget_settled();

  // Of each message: where it was, and under which number. 5 bytes a message, for runs of hours.
  std::vector<std::uint8_t> states_;
  std::vector<std::uint32_t> numbers_;
  std::deque<SteadyTime> waiting_;  ///< planned moments, from `first_waiting_` on
  std::uint64_t first_waiting_ = 0;
  std::array<Shown, 3> shown_{};
  std::uint64_t acknowledged_ = 0;
  Findings findings_;
};

}  // namespace holdfast::load
