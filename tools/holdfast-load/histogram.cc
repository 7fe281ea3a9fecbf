#include "tools/holdfast-load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace holdfast::load {

// Values below 2^7 have a bucket each. Above, the exponent picks the row and the seven bits below the leading one the
// step in it.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < kSteps) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
  return (std::size_t{shift} + 1) * kSteps + static_cast<std::size_t>((value >> shift) - kSteps);
}

std::uint64_t Histogram::highest_in(std::size_t bucket) {
  if (bucket < kSteps) return bucket;
  const std::size_t shift = bucket / kSteps - 1;
  const std::uint64_t lowest = (bucket % kSteps + kSteps) << shift;
  return lowest + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::add(Duration value) {
  const auto counted = static_cast<std::uint64_t>(std::max<Duration::rep>(0, value.count()));
  ++counts_[bucket_of(counted)];
  ++count_;
  max_ = std::max(max_, counted);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) counts_[bucket] += other.counts_[bucket];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::vector<Histogram::Step> Histogram::steps() const {
  std::vector<Step> all;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    if (counts_[bucket] > 0) all.push_back({Duration(std::min(highest_in(bucket), max_)), counts_[bucket]});
  return all;
}

Histogram Histogram::from_steps(const std::vector<Step>& steps, Duration max) {
  Histogram histogram;
  for (const Step& step : steps) {
    const auto value = static_cast<std::uint64_t>(std::max<Duration::rep>(0, step.value.count()));
    histogram.counts_[bucket_of(value)] += step.count;
    histogram.count_ += step.count;
  }
  histogram.max_ = static_cast<std::uint64_t>(std::max<Duration::rep>(0, max.count()));
  return histogram;
}

Histogram::Duration Histogram::at(double share) const {
  const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * double(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets && count_ > 0; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return Duration(std::min(highest_in(bucket), max_));
  }
  return max();
}

}  // namespace holdfast::load
