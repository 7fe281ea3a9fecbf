/// etcd, simulated: rows with revisions, leases, transactions that are linearizable but whose answers are late, lost, or
/// come before they are carried out; and outages.
///
/// Owned by ClusterWorld. One thread. Answers come by the agenda, never from within a call.
#pragma once

#include <set>
#include <vector>

#include "failover/config_store.h"
#include "failover/reconfiguration.h"
#include "tests/sim/agenda.h"

namespace holdfast::sim {

class SimStore {
 public:
  struct Faults {
    unsigned unknown = 0;     ///< per cent of the transactions whose outcome nobody hears in time
    unsigned slow_lists = 0;  ///< per cent of the listings that are old when they arrive
    Micros slowest_list{400'000};
  };
  explicit SimStore(Agenda& agenda) : agenda_(agenda) {}

  Faults faults;
  /// Nobody is answered.
  bool outage = false;
  /// Nodes that can't reach it.
  std::set<NodeId> cut;
  /// What is about to be written, for who checks it: (key, value).
  std::function<void(const std::string&, const std::string&)> on_put;
  std::function<void()> on_change;

  using Lease = std::string;  ///< of a boot
  void transact(NodeId by, const Lease& lease, const failover::Transaction& transaction,
                std::function<void(failover::Outcome)> then);
  /// Nothing: it could not be reached.
  void list(NodeId by, std::function<void(std::optional<failover::ConfigRows>)> then);
  /// Keeps the lease for another two seconds, if it stands and `by` reaches us.
  void keep_alive(NodeId by, const Lease& lease);

  const failover::ConfigRows& rows() const { return rows_; }
  /// Transactions that may still be applied.
  std::size_t under_way() const { return under_way_; }
  std::uint64_t outcomes_unknown() const { return unknown_; }

  /// At once, for starts, which block in truth.
  class Direct final : public failover::ConfigStore {
   public:
    Direct(SimStore& store, NodeId by) : store_(store), by_(by) {}
    Result<failover::ConfigRow> get(std::string_view key) override;
    Result<failover::ConfigRows> list(std::string_view prefix) override;
    using failover::ConfigStore::transact;
    Result<bool> transact(const failover::Transaction& transaction) override;
    void watch(std::string_view, std::function<void()>) override {}
    void unwatch() override {}

   private:
    SimStore& store_;
    const NodeId by_;
  };

 private:
  bool reaches(NodeId by) const { return !outage && !cut.contains(by); }
  bool apply(const Lease& lease, const failover::Transaction& transaction);
  void expire(const Lease& lease);

  Agenda& agenda_;
  failover::ConfigRows rows_;
  std::map<std::string, Lease> leased_;
  std::map<Lease, SteadyTime> leases_;  ///< when they end
  std::size_t under_way_ = 0;
  std::uint64_t unknown_ = 0;
};

}  // namespace holdfast::sim
