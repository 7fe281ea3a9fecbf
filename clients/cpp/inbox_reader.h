/// Turns what the server pushes into changes handed over once, in order, whole.
///
/// Sans-IO; owned by ClientMachine, on its thread. Positions at or below the last one taken are dropped. A reference
/// holds up what is behind it until GetHistory has brought the change. What is handed over is acknowledged in groups.
/// Invariant: acknowledged <= stored <= delivered <= received.
/// Bound: `waiting_max` items behind a reference; beyond it pushes are dropped, and wants_resume() says, once the rest
/// is handed over, that they are to be fetched again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "base/time.h"
#include "clients/cpp/options.h"
#include "proto/client.pb.h"

namespace holdfast::client {

class InboxReader {
 public:
  using HandOver = std::function<void(const v1::InboxItem&)>;

  /// `hand_over` may call back into the client; what it does to this reader (reset) takes effect at once.
  InboxReader(const MachineOptions& options, HandOver hand_over);

  /// Begins after `cursor`: a new session.
  void start_at(std::uint64_t cursor);
  /// A resume was accepted; deliveries begin after `cursor`, and the inbox ends at `head`.
  void resumed(std::uint64_t cursor, std::uint64_t head);
  /// Forgets what waits: the next resume brings it again.
  void disconnected();

  void take(const v1::InboxPush& push, SteadyTime now);

  /// The history page that is needed next; nothing if none is, or one is under way.
  std::optional<v1::GetHistory> take_fetch();
  /// Changes when what waits is forgotten: an answer to a page asked for before that is to be dropped.
  std::uint64_t starts() const { return starts_; }
  void fetched(const v1::HistoryReply& reply, SteadyTime now);
  /// The page can't be had; `for_good` if asking again would be no use: the change is then handed over as Hidden.
  void fetch_failed(bool for_good, SteadyTime now);

  /// The application has stored everything up to here. Only without auto_ack.
  void stored(std::uint64_t position, SteadyTime now);
  bool ack_due(SteadyTime now) const;
  SteadyTime ack_deadline() const;
  /// What is to be acknowledged now; nothing if there is nothing new.
  std::optional<std::uint64_t> take_ack();

  bool wants_resume() const { return overflowed_ && waiting_.empty(); }
  /// Resume with this.
  std::uint64_t delivered() const { return delivered_; }
  /// What to save.
  std::uint64_t stored_position() const { return stored_; }

 private:
  void hand_over(const v1::InboxItem& item, SteadyTime now);
  void drain(SteadyTime now);
  void hide_front();
  void note_stored(std::uint64_t position, SteadyTime now);

  const std::size_t waiting_max_;
  const std::size_t ack_every_;
  const std::chrono::milliseconds ack_after_;
  const bool auto_ack_;
  HandOver hand_over_;

  std::uint64_t received_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t acked_ = 0;
  std::size_t unacked_items_ = 0;
  std::optional<SteadyTime> unacked_since_;
  std::deque<v1::InboxItem> waiting_;  ///< empty, or the first is a reference (but while drain() runs)
  bool fetching_ = false;
  bool overflowed_ = false;
  std::uint64_t starts_ = 0;  ///< rises when what waits is forgotten, so that a loop around a callback notices
};

}  // namespace holdfast::client
