/// Whether all copies of all partitions hold the same history: their logs' chain values at one entry that all have
/// committed, compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/holdfastctl/admin.h"
#include "tools/holdfastctl/show.h"

namespace holdfast::ctl {

/// Where each live node's operators' port is: as the cluster tells, or as --admin has it.
std::map<std::uint32_t, HostPort> reachable(const http::ClusterFigures& cluster, const Admin& admin);
struct Verified {
  struct Difference {
    std::uint32_t partition = 0;
    std::uint64_t seq = 0;
    std::map<std::uint32_t, std::string> chains;  ///< by node
  };
  std::size_t compared = 0;                  ///< partitions of which at least two copies were
  std::size_t copies = 0;                    ///< in them
  std::vector<std::uint32_t> not_compared;   ///< partitions of which fewer could be
  std::vector<std::uint32_t> nodes, silent;  ///< who was asked; live nodes that did not answer
  std::vector<Difference> differing;
};

/// The entry at which copies can be compared: the least that is committed at all of them; 0: none.
std::uint64_t common_seq(const std::map<std::uint32_t, http::CopyFigures>& copies);

/// Asks every node that can be reached. Fails with what the cluster's teller said.
Result<Verified> compare_copies(const http::ClusterFigures& cluster, Admin& admin);
std::string show_verified(const http::ClusterFigures& cluster, const Verified& verified);

}  // namespace holdfast::ctl
