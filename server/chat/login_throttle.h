/// Failed passwords by address, in memory: whoever guesses one password for many names is slowed too.
///
/// Sans-IO value, ticked by the time it is given. Not thread-safe; whoever shares it locks. Soft: a restart forgets it,
/// the counts by name are durable (attempts.h).
/// Bound: addresses_max entries; beyond it the one that failed least recently is forgotten.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace holdfast::chat {

class AddressThrottle {
 public:
  struct Options {
    std::size_t addresses_max = 16'384;
    std::uint32_t failures_free = 30;  ///< more than for a name: a company may share an address
    std::chrono::minutes wait_max{15};
    std::chrono::hours forgotten{1};
  };
  explicit AddressThrottle(Options options) : options_(options) {}

  /// How long this address has to wait before a password is looked at; zero: not at all. One second after the last free
  /// failure, twice as long after each that follows.
  std::chrono::milliseconds wait(const std::string& address, WallTime now) const;
  void failed(const std::string& address, WallTime now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint32_t failures = 0;
    WallTime last{};
  };
  void make_room(WallTime now);

  Options options_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace holdfast::chat
