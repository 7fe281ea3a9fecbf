/// The newest that this node saw of the configuration store, kept on its disk: a store that is older was put back by
/// somebody, and what it says of in-sync sets is no longer so.
///
/// Value. In the node's own store: revision *( ' ' partition ':' epoch ), decimal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "failover/config_store.h"

namespace holdfast::failover {

struct StoreFloor {
  std::uint64_t revision = 0;
  std::map<PartitionId, std::uint64_t> epochs;

  std::string text() const;
  friend bool operator==(const StoreFloor&, const StoreFloor&) = default;
};
/// Nothing if `text` is not what StoreFloor::text() gave.
std::optional<StoreFloor> parse_store_floor(const std::string& text);
/// In the node's own store. Load: revision 0 if nothing was kept yet; Errc::corrupt.
Result<StoreFloor> load_store_floor(ConfigStore& own);
Status keep_store_floor(ConfigStore& own, const StoreFloor& floor);

}  // namespace holdfast::failover
