#include "tools/holdfast-load/coarse_times.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace holdfast::load {

// As in histogram.cc, of microseconds and with eight steps for each power of two.
namespace {
constexpr unsigned kStepBits = 3;
constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
}  // namespace

std::uint16_t CoarseTimes::bucket_of(std::chrono::nanoseconds value) {
  const auto us = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(value).count()));
  if (us < kSteps) return static_cast<std::uint16_t>(us);
  const unsigned shift = static_cast<unsigned>(std::bit_width(us)) - 1 - kStepBits;
  return static_cast<std::uint16_t>((std::uint64_t{shift} + 1) * kSteps + ((us >> shift) - kSteps));
}

std::uint64_t CoarseTimes::highest_in(std::uint16_t bucket) {
  if (bucket < kSteps) return bucket;
  const unsigned shift = static_cast<unsigned>(bucket / kSteps) - 1;
  const std::uint64_t lowest = (bucket % kSteps + kSteps) << shift;
  return lowest + ((std::uint64_t{1} << shift) - 1);
}

CoarseTimes& CoarseTimes::operator+=(const CoarseTimes& other) {
  for (const auto& [bucket, count] : other.counts_) counts_[bucket] += count;
  return *this;
}

std::chrono::microseconds CoarseTimes::at(double share) const {
  std::uint64_t all = 0;
  for (const auto& [bucket, count] : counts_) all += count;
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all))));
  std::uint64_t seen = 0;
  for (const auto& [bucket, count] : counts_) {
    seen += count;
    if (seen >= wanted) return std::chrono::microseconds(highest_in(bucket));
  }
  return std::chrono::microseconds(0);
}

}  // namespace holdfast::load
