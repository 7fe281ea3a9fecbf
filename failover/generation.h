/// Which life of the data this is: a restored backup begins another one. Clients keep its number with their positions.
///
/// Value; constant while a node runs. In the configuration store: "<number> <restores>", in decimal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "failover/config_store.h"

namespace holdfast::failover {

struct Generation {
  std::uint64_t number = 1;    ///< rises with each restore; two restores of one backup have different ones
  std::uint64_t restores = 0;  ///< how many there were

  /// What a restore of a backup of this generation begins.
  Generation next(WallTime now) const {
    return {std::max<std::uint64_t>(number + 1, static_cast<std::uint64_t>(to_ms(now)) / 1000), restores + 1};
  }
  /// Inbox positions are given out from here on: beyond all that were given out after the backup was made, wherever those
  /// are remembered. So a client that knows nothing of generations misses nothing either.
  std::uint64_t first_position() const { return (restores << 40) + 1; }

  std::string text() const { return std::to_string(number) + " " + std::to_string(restores); }
  friend bool operator==(const Generation&, const Generation&) = default;
};

/// Nothing if `text` is not what Generation::text() gave.
std::optional<Generation> parse_generation(const std::string& text);
/// Errc::corrupt: the row can't be read.
Result<Generation> load_generation(ConfigStore& store);

}  // namespace holdfast::failover
