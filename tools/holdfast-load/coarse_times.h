/// Latencies of one point of a curve: as Histogram, but to within 1/8 and only as large as what was counted.
///
/// A curve has up to 1,200 of these. Value; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

namespace holdfast::load {

class CoarseTimes {
 public:
  void add(std::chrono::nanoseconds value) { ++counts_[bucket_of(value)]; }
  CoarseTimes& operator+=(const CoarseTimes& other);
  bool empty() const { return counts_.empty(); }
  /// The least value that at least `share` (0 to 1) of all are not above; 0 if there are none.
  std::chrono::microseconds at(double share) const;

  /// Buckets and how many are in each, for the way from one process to another.
  const std::map<std::uint16_t, std::uint32_t>& counts() const { return counts_; }
  void add_counted(std::uint16_t bucket, std::uint32_t count) { counts_[bucket] += count; }

 private:
  static std::uint16_t bucket_of(std::chrono::nanoseconds value);
  static std::uint64_t highest_in(std::uint16_t bucket);

  std::map<std::uint16_t, std::uint32_t> counts_;
};

}  // namespace holdfast::load
