/// Changes of rows on their way to the configuration store: many to a transaction, each certain in the end.
///
/// Sans-IO; owned by Controller. Thread: the cluster thread. At most one change of a row is outstanding. A refused
/// transaction is split in halves, down to single changes, so that one stale row holds up nobody else. A write whose
/// outcome is unknown is reported as such, looked up by its nonce in the next listing, and written again while the row
/// still has the revision compared: reading an old revision proves nothing, the first write may still be under way. Such
/// a change is called refused only once the row's revision has moved (2.6).
/// A change that was applied or refused is reported after a listing that began after its transaction was answered.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/random.h"
#include "failover/config_store.h"
#include "failover/reconfiguration.h"

namespace holdfast::failover {

using RowValue = std::variant<log::PartitionConfig, log::NodeRow, log::MemberRow, log::CoordinatorRow>;

struct RowChange {
  std::string key;
  std::uint64_t compared = 0;  ///< revision of the row; 0: there must be none
  RowValue value;              ///< its nonce is drawn by the queue
  std::vector<Compare> also;   ///< what else the decision relied on
  bool leased = false;
  bool remove = false;  ///< the row goes; `value` only says of what kind it is
};

struct Submission {
  std::uint64_t ticket;
  Transaction transaction;
};

/// `unknown` comes at once and is followed by one of the others; those are final.
struct Settled {
  RowChange change;
  Outcome outcome;
};

class CasQueue {
 public:
  struct Options {
    std::size_t operations_max = 100;  ///< compares and puts of one transaction; etcd takes 128
    std::size_t in_flight_max = 8;     ///< transactions; what is more waits
  };
  CasQueue(Options options, std::uint64_t seed) : options_(options), random_(seed) {}

  /// False, and nothing is done, while another change of that row is outstanding.
  bool add(RowChange change);
  bool outstanding(const std::string& key) const { return changes_.contains(key); }
  bool idle() const { return changes_.empty(); }
  /// Some change waits for a listing that has not begun.
  bool wants_listing() const;

  void done(std::uint64_t ticket, Outcome outcome);
  void listing_begun();
  void listed(const ConfigRows& listed);

  std::vector<Submission> take_submissions();
  std::vector<Settled> take_settled() { return std::exchange(settled_, {}); }

 private:
  enum class State : std::uint8_t { waiting, in_flight, answered, looked_up };
  struct Outstanding {
    RowChange change;
    std::uint64_t nonce = 0;
    State state = State::waiting;
    Outcome outcome = Outcome::unknown;  ///< of the last answer
    bool was_unknown = false;
    bool forcing = false;  ///< what is written is the row as it stands, so that its revision moves
    RowValue written;
  };
  using Group = std::vector<std::string>;  ///< keys of one transaction

  std::vector<Group> pack();
  Transaction transaction_of(const Group& group) const;
  void settle(const std::string& key, const ConfigRow* row);
  void write_again(const std::string& key, Outstanding& outstanding, const ConfigRow* row);
  bool is_ours(const Outstanding& outstanding, const ConfigRow* row) const;

  const Options options_;
  SeededRandom random_;
  std::uint64_t next_ticket_ = 1;
  std::map<std::string, Outstanding> changes_;
  std::deque<std::string> fresh_;  ///< keys not in a group yet, in order of arrival
  std::deque<Group> groups_;       ///< to be sent
  std::map<std::uint64_t, Group> in_flight_;
  std::vector<Settled> settled_;
};

}  // namespace holdfast::failover
