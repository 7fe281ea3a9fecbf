/// Whether the cluster is whole, asked of the configuration store: every partition led by a node that runs, and with all
/// of its copies in sync.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::failover {
class ConfigStore;
}

namespace holdfast::chaos {

struct ClusterView {
  std::size_t partitions = 0;                                 ///< that there are rows for
  std::size_t whole = 0;                                      ///< led, and in sync on as many nodes as there should be
  std::string first_trouble;                                  ///< of a partition that is not
  std::optional<std::string> coordinator;                     ///< a node's name
  std::map<std::string, std::size_t> leads;                   ///< partitions, by node's name
  std::map<std::uint16_t, std::vector<std::string>> in_sync;  ///< names of the nodes, by partition
};

/// Owned by main; one thread. Blocking.
class Health {
 public:
  static Result<std::unique_ptr<Health>> open(const std::string& store, std::uint16_t partitions, std::size_t copies);
  ~Health();

  /// Fails with retry_later while the store does not answer.
  Result<ClusterView> look();
  bool is_whole(const ClusterView& view) const { return view.whole == partitions_; }

 private:
  Health(std::unique_ptr<failover::ConfigStore> store, std::uint16_t partitions, std::size_t copies);

  std::unique_ptr<failover::ConfigStore> store_;
  const std::uint16_t partitions_;
  const std::size_t copies_;
};

}  // namespace holdfast::chaos
