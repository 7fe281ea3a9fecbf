/// Randomness as a thing that is handed in, so that a test can give it a seed.
#pragma once

#include <cstdint>
#include <span>

#include "base/ids.h"

namespace holdfast {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  std::uint64_t next();
  /// Uniform in [0, bound). bound > 0.
  std::uint64_t below(std::uint64_t bound);

  template <class IdType>
  IdType id() {
    std::array<std::uint8_t, IdType::kBytes> bytes;
    fill(bytes);
    return IdType(bytes);
  }
};

/// The system's, through libsodium: for keys, tokens and ids. Any thread.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override;
};

/// The same sequence for the same seed (splitmix64). Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override;

 private:
  std::uint64_t state_;
};

/// A random user id that lives in `partition`.
UserId random_user_in(PartitionId partition, std::uint16_t partitions, Random& random);

}  // namespace holdfast
