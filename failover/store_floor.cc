#include "failover/store_floor.h"

#include <sstream>

namespace holdfast::failover {
namespace {

constexpr const char* kFloorKey = "seen";

}  // namespace

std::string StoreFloor::text() const {
  std::string text = std::to_string(revision);
  for (const auto& [partition, epoch] : epochs)
    text += " " + std::to_string(partition.value) + ":" + std::to_string(epoch);
  return text;
}

std::optional<StoreFloor> parse_store_floor(const std::string& text) {
  StoreFloor floor;
  std::istringstream in(text);
  if (!(in >> floor.revision)) return std::nullopt;
  std::uint64_t partition = 0, epoch = 0;
  char colon = 0;
  while (in >> partition >> colon >> epoch) {
    if (colon != ':' || partition > UINT16_MAX) return std::nullopt;
    floor.epochs[PartitionId(static_cast<std::uint16_t>(partition))] = epoch;
  }
  return floor.text() == text ? std::optional(std::move(floor)) : std::nullopt;
}

Result<StoreFloor> load_store_floor(ConfigStore& own) {
  const auto row = own.get(kFloorKey);
  if (!row) return row.error();
  if (row->revision == 0) return StoreFloor{};
  auto floor = parse_store_floor(row->value);
  if (floor) return std::move(*floor);
  return Error{Errc::corrupt,
               "the note of what was seen of the configuration store can't be read: '" + row->value + "'"};
}

Status keep_store_floor(ConfigStore& own, const StoreFloor& floor) {
  const auto row = own.get(kFloorKey);
  if (!row) return row.error();
  const auto kept = own.transact({{kFloorKey, row->revision}}, {{kFloorKey, floor.text()}});
  if (!kept) return kept.error();
  if (!*kept) return Error{Errc::in_use, "somebody else wrote the note of what was seen"};
  return Ok{};
}

}  // namespace holdfast::failover
