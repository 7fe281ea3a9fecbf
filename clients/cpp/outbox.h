/// The messages that the server has not acknowledged yet, in the order in which they were sent.
///
/// Sans-IO; owned by ClientMachine, on its thread. Ids are fixed before the first try, and the same frame is sent at
/// every try, so the server keeps one message however often it is asked. Order: within a conversation a message goes
/// out only after those before it; `sends_ahead_max` says how many may be unanswered at once.
/// Bound: `messages_max`; when it is full, add() fails and nothing is kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "clients/cpp/events.h"
#include "proto/client.pb.h"

namespace holdfast::client {

struct OutboxOptions {
  std::size_t messages_max = 1'000;
  std::size_t sends_ahead_max = 1;
  std::chrono::milliseconds answer_max{15'000};  ///< unanswered this long on a living connection: sent again
};

class Outbox {
 public:
  explicit Outbox(OutboxOptions options) : options_(options) {}

  /// Takes a post under a request id that nobody else uses. The post's client_message_id may be empty: name_all() sets
  /// it. Fails with retry_later (full).
  Status add(std::uint64_t request_id, v1::ClientFrame& post, SendCallback done);
  /// The same for one that an earlier process left. Fails with corrupt.
  Status restore(std::uint64_t request_id, const std::string& payload);

  /// An id for a message that is added next: above all before it, which spares the server a look-up.
  RequestId next_id(WallTime server_now, Random& random);
  bool has_unnamed() const { return unnamed_ > 0; }
  /// Gives every message without one its id.
  void name_all(WallTime server_now, Random& random);

  /// Appends what may go out now to `out`. Everything is named.
  void pump(SteadyTime now, std::string& out);
  /// Everything under way is to be sent again, in order.
  void disconnected();

  struct Answered {
    SendResult result;
    SendCallback done;
  };
  /// The message that this request was, removed; nothing if it is not one of ours.
  std::optional<Answered> answered(std::uint64_t request_id, const v1::ChangeReply& reply);
  /// It failed for good.
  std::optional<Answered> refused(std::uint64_t request_id, Failure failure);
  /// It is to be tried again at `not_before`, with all behind it in its conversation. False: not one of ours.
  bool postpone(std::uint64_t request_id, SteadyTime not_before);
  /// Takes the first message out, failed; nothing when empty.
  std::optional<Answered> fail_first(const Failure& failure);

  std::size_t size() const { return entries_.size(); }
  std::size_t in_flight() const { return entries_.size() - queued_; }
  /// When pump() or expire() has something to do without any other event; SteadyTime::max() if never.
  SteadyTime next_deadline() const;
  /// What went unanswered for too long is to be sent again.
  void expire(SteadyTime now);

  /// Serialized v1.ClientFrame of all messages, in order.
  std::vector<std::string> payloads() const;

 private:
  struct Entry {
    std::uint64_t request_id = 0;
    ConversationId conversation;
    RequestId id;       ///< zero: not named yet
    std::string frame;  ///< with its length
    SendCallback done;
    bool in_flight = false;
    std::uint32_t put_off = 0;
    SteadyTime sent_at;
  };
  struct Lane {
    std::size_t in_flight = 0;
    SteadyTime not_before = SteadyTime::min();
  };
  using Entries = std::deque<Entry>;

  Entries::iterator find(std::uint64_t request_id);
  Answered take(Entries::iterator entry);
  void requeue(Entry& entry);

  OutboxOptions options_;
  Entries entries_;
  std::unordered_map<ConversationId, Lane> lanes_;  ///< of the conversations in entries_, and a few idle ones
  std::size_t queued_ = 0;                          ///< entries that are not in flight
  std::size_t unnamed_ = 0;
  RequestId last_id_;
};

}  // namespace holdfast::client
