/// What clients did and saw during a run, and what was found at its end: plain data, so that a test can spoil it.
///
/// Clients, devices and conversations are named by their index, messages by the index of their operation. Moments are
/// microseconds since the run began, of one monotonic clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/holdfast-chaos/mail_history.h"

namespace holdfast::chaos {

using Micros = std::int64_t;

/// One message that a client gave to its library.
struct Operation {
  enum class Outcome : std::uint8_t {
    unknown,  ///< no answer by the end: it may have happened or not
    ok,       ///< acknowledged under `number`
    refused,  ///< failed for good: it must never be seen
  };
  std::uint32_t device = 0;  ///< that sent it
  std::uint32_t conversation = 0;
  Micros invoked = 0;
  Micros completed = 0;  ///< meaningless while unknown
  Outcome outcome = Outcome::unknown;
  std::uint64_t number = 0;  ///< of its change, if ok
};

/// A change of a conversation as somebody saw it.
struct Sight {
  std::uint64_t number = 0;
  std::optional<std::uint64_t> operation;  ///< which of our messages; nothing: a change that is no message
  std::uint64_t content = 0;               ///< a hash over all that may not change (content_of() in people.h)
  bool damaged = false;                    ///< a message, but not as any of ours was sent
};

/// A change that was pushed to a device.
struct Shown {
  Micros when = 0;
  std::uint64_t position = 0;  ///< in the inbox
  std::uint32_t conversation = 0;
  Sight sight;
};

/// The session went on, on this or another node.
struct Resumed {
  Micros when = 0;
  Micros away = 0;  ///< since the connection before was lost
  std::uint64_t inbox_head = 0;
  std::size_t shown = 0;  ///< how many changes the device had been shown before
};

/// The connection was lost, or a try to have another failed.
struct Trouble {
  Micros when = 0;
  std::string why;
  Micros delay = 0;  ///< until the next try
};

/// "What is the newest number of this conversation", asked by a device.
struct Read {
  std::uint32_t conversation = 0;
  Micros invoked = 0, completed = 0;
  std::uint64_t last_number = 0;
};

struct Device {
  std::string name;
  std::uint32_t user = 0;
  std::vector<Shown> shown;  ///< in the order in which it was
  std::vector<Resumed> resumed;
  std::vector<Read> reads;
  std::uint64_t gaps = 0;              ///< HISTORY_GAP: the server said that inbox rows were gone
  std::string session_ended;           ///< why, if it did: it never may
  std::vector<Trouble> troubles = {};  ///< to look for causes; not judged
  bool idle = false;                   ///< only listens, and notices a silent connection later
};

/// One try to use a session: coming back with its token, or asking something on a connection that it had.
struct Try {
  std::string node;  ///< host:port
  Micros invoked = 0, completed = 0;
  bool accepted = false;  ///< otherwise: refused as ended. What had no answer is not recorded
};

/// A session that was made to be ended.
struct Visit {
  std::uint32_t user = 0;
  Micros asked = -1;  ///< that it be ended; -1: it was not
  Micros acked = -1;  ///< the answer that it is; -1: there was none
  std::string how;    ///< "logged out", "revoked by another device"
  std::vector<Try> tries;
};

struct Conversation {
  std::string id;  ///< hex
  std::vector<std::uint32_t> users;
  /// Read whole by a fresh client at the end; nothing if that failed.
  std::optional<std::vector<Sight>> read_back;
};

/// One node's log of one partition, as found on its disk after the end.
struct ReplicaLog {
  std::string node;
  std::uint16_t partition = 0;
  std::uint64_t last_seq = 0;
  std::uint64_t compared_seq = 0;  ///< the newest that all copies have
  std::string chain;               ///< hex, at compared_seq
};

/// One thing that was broken.
struct Fault {
  std::string kind, target;
  Micros began = 0;
  Micros ended = 0;     ///< undone: from here on nothing stands in the way of recovery
  Micros healthy = -1;  ///< every partition led and in sync again; -1: not within the limit
};

struct History {
  std::vector<Operation> operations;
  std::vector<Device> devices;
  std::vector<Conversation> conversations;
  std::vector<Visit> visits;
  MailHistory mail;
  std::vector<Fault> faults;
  std::vector<std::string> crashes;  ///< nodes that ended by themselves, and how
  std::vector<ReplicaLog> replicas;
  std::uint16_t partitions = 0;  ///< 0: replicas could not be looked at
  std::size_t copies = 0;        ///< of each partition that there should be
  Micros sending_ended = 0;
  Micros settled = -1;  ///< everything was answered and shown; -1: not within the limit
};

}  // namespace holdfast::chaos
