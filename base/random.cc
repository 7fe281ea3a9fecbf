#include "base/random.h"

#include <sodium.h>

#include "base/check.h"

namespace holdfast {

std::uint64_t Random::next() {
  std::array<std::uint8_t, 8> bytes;
  fill(bytes);
  std::uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  HF_CHECK(bound > 0, "a bound must leave something");
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;  // beyond it the modulus would favour small numbers
  for (;;) {
    const std::uint64_t value = next();
    if (value < limit) return value % bound;
  }
}

void SystemRandom::fill(std::span<std::uint8_t> bytes) { randombytes_buf(bytes.data(), bytes.size()); }

void SeededRandom::fill(std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    std::memcpy(bytes.data() + i, &z, std::min<std::size_t>(8, bytes.size() - i));
  }
}

UserId random_user_in(PartitionId partition, std::uint16_t partitions, Random& random) {
  HF_CHECK(partition.value < partitions, "no such partition");
  std::array<std::uint8_t, UserId::kBytes> bytes;
  random.fill(bytes);
  const std::uint64_t choices = (65536u - partition.value + partitions - 1u) / partitions;
  const std::uint64_t prefix = partition.value + partitions * random.below(choices);
  bytes[0] = static_cast<std::uint8_t>(prefix >> 8);
  bytes[1] = static_cast<std::uint8_t>(prefix);
  return UserId(bytes);
}

}  // namespace holdfast
