/// Distinct types for what would otherwise all be bytes and integers.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// A 16-byte id. Random ones are never reused; the first two bytes of users' and conversations' ids say in which
/// partition they live (`partition_of`).
template <class Tag>
class Id {
 public:
  static constexpr std::size_t kBytes = 16;

  constexpr Id() = default;
  explicit Id(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  /// Nothing if `bytes` is not exactly 16 long.
  static std::optional<Id> from_bytes(std::string_view bytes) {
    if (bytes.size() != kBytes) return std::nullopt;
    Id id;
    std::memcpy(id.bytes_.data(), bytes.data(), kBytes);
    return id;
  }

  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }
  std::string str() const { return std::string(bytes()); }
  bool is_zero() const { return *this == Id{}; }

  /// The first two bytes, big-endian: what places an id in a partition.
  std::uint16_t prefix() const { return static_cast<std::uint16_t>(bytes_[0] << 8 | bytes_[1]); }

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

using UserId = Id<struct UserTag>;
using SessionId = Id<struct SessionTag>;
using ConversationId = Id<struct ConversationTag>;
using RequestId = Id<struct RequestTag>;  ///< a UUIDv7 chosen by a client
using IntentId = Id<struct IntentTag>;    ///< of something that is to be done outside
using StoreId = Id<struct StoreTag>;      ///< of a data directory; a new one whenever durability can't be vouched for

/// An integer that is not any other integer.
template <class Tag, class Rep>
struct Number {
  Rep value{};
  constexpr Number() = default;
  constexpr explicit Number(Rep v) : value(v) {}
  friend constexpr auto operator<=>(Number, Number) = default;
  constexpr Number next() const { return Number(static_cast<Rep>(value + 1)); }
};

using PartitionId = Number<struct PartitionTag, std::uint16_t>;
using NodeId = Number<struct NodeTag, std::uint32_t>;
using Epoch = Number<struct EpochTag, std::uint64_t>;
using Seq = Number<struct SeqTag, std::uint64_t>;  ///< of an entry in a partition's log; the first is 1

/// Where a user or a conversation lives. `partitions` is 1 to 1,024 and fixed for the life of the cluster.
template <class Tag>
PartitionId partition_of(const Id<Tag>& id, std::uint16_t partitions) {
  return PartitionId(static_cast<std::uint16_t>(id.prefix() % partitions));
}

}  // namespace holdfast

template <class Tag>
struct std::hash<holdfast::Id<Tag>> {
  std::size_t operator()(const holdfast::Id<Tag>& id) const noexcept {
    std::size_t h;
    std::memcpy(&h, id.bytes().data() + 8, sizeof h);  // ids are random or hashes: any eight bytes will do
    return h;
  }
};
template <class Tag, class Rep>
struct std::hash<holdfast::Number<Tag, Rep>> {
  std::size_t operator()(holdfast::Number<Tag, Rep> n) const noexcept { return std::hash<Rep>{}(n.value); }
};
