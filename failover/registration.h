/// This node's own rows: its registration while it runs, its membership, and the partitions' first rows if it founds the
/// cluster.
///
/// Sans-IO; owned by Controller. Thread: the cluster thread. Never fails; what is wrong is said by problem().
/// A row of an earlier life of ours (same store) is written over, once. Another store under our id is waited out: its
/// lease may be about to end. Another process under our id after we were registered means that the id, or a copy of our
/// data directory, is in use elsewhere: we stop registering for good.
#pragma once

#include <string>
#include <vector>

#include "failover/cas_queue.h"
#include "failover/cluster_view.h"
#include "failover/coordinator.h"

namespace holdfast::failover {

class Registration {
 public:
  struct Options {
    Self self;
    std::string name;
    std::string zone;
    std::string peer_address;    ///< host:port
    std::string client_address;  ///< host:port, as clients are told
    std::string version;
    std::uint16_t partitions = 0;
    bool founder = false;
    Epoch founder_epoch{1};  ///< above every epoch of the log that a single node brings along
  };
  explicit Registration(Options options) : options_(std::move(options)) {}

  void listed(const ClusterView& view);
  std::vector<RowChange> wanted(const ClusterView& view, const CasQueue& queue) const;
  bool registered() const { return registered_; }
  bool in_use() const { return in_use_; }
  /// Empty: all is well.
  const std::string& problem() const { return problem_; }

 private:
  void found(const ClusterView& view, const CasQueue& queue, std::vector<RowChange>& changes) const;
  bool may_found(const ClusterView& view) const;
  RowChange own_row(std::uint64_t revision) const;

  const Options options_;
  bool registered_ = false;
  bool was_registered_ = false;
  bool in_use_ = false;
  std::string problem_;
};

}  // namespace holdfast::failover
