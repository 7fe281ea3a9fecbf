/// Latencies, counted: a log-linear histogram in the manner of HdrHistogram, with values to within 1/128.
///
/// Every power of two is cut into 128 steps, so a percentile is never further off than that, whatever its size, and
/// nothing is sampled. Value; 57 KiB; any non-negative duration fits.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace holdfast::load {

class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  /// Negative durations (there are none, if clocks go as they should) count as 0.
  void add(Duration value);
  void clear() { *this = Histogram(); }

  /// What another one counted, as if it had been counted here.
  void merge(const Histogram& other);

  /// The buckets that are not empty, in rising order, each with the greatest value that falls into it. add() of that
  /// value as often gives the same histogram, but for the greatest of all: that one is max().
  struct Step {
    Duration value;
    std::uint64_t count;
  };
  std::vector<Step> steps() const;
  static Histogram from_steps(const std::vector<Step>& steps, Duration max);

  std::uint64_t count() const { return count_; }
  Duration max() const { return Duration(max_); }
  /// The least value that at least `share` (0 to 1) of all are not above; 0 if there are none.
  Duration at(double share) const;

 private:
  static constexpr unsigned kStepBits = 7;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr std::size_t kBuckets = (64 - kStepBits + 1) * kSteps;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t highest_in(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace holdfast::load
