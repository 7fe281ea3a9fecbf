/// What a partition's primary wants changed in the configuration store, and what became of it.
///
/// Values. Made by Replica, carried out by Controller: it adds the nonce, puts many into one transaction, splits one that
/// was refused, and answers each.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "proto/log.pb.h"

namespace holdfast::failover {

/// part/<p> as it stands in the store.
struct PartitionRow {
  log::PartitionConfig config;
  std::uint64_t revision = 0;
};

struct Reconfiguration {
  PartitionId partition;
  std::uint64_t compared_revision;  ///< of part/<p>
  log::PartitionConfig wanted;      ///< without nonce
  /// Members that must be registered, with the store that stands in `wanted`, when it takes effect (GROW, F3).
  std::vector<NodeId> must_be_live;
};

enum class Outcome : std::uint8_t {
  applied,
  refused,  ///< it does not stand in the store, nor will it: it never did, or something else came after it
  unknown,  ///< it may have been applied, or may still be
};

}  // namespace holdfast::failover
