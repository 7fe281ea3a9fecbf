#include "tools/holdfast-load/tally.h"

#include <algorithm>

namespace holdfast::load {

void Tally::error(const std::string& what) {
  const bool known = errors.contains(what);
  ++errors[known || errors.size() < kErrorsMax ? what : "other errors"];
}

std::uint64_t Tally::error_count() const {
  std::uint64_t all = 0;
  for (const auto& [what, how_often] : errors) all += how_often;
  return all;
}

std::uint64_t Tally::count(const std::string& name) const {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

std::uint64_t Tally::most(const std::string& name) const {
  const auto found = greatest.find(name);
  return found == greatest.end() ? 0 : found->second;
}

const Histogram& Tally::time(const std::string& name) const {
  static const Histogram kNone;
  const auto found = times.find(name);
  return found == times.end() ? kNone : found->second;
}

void Tally::raise(const std::string& name, std::uint64_t to) {
  std::uint64_t& value = greatest[name];
  value = std::max(value, to);
}

void Tally::merge(const Tally& other) {
  for (const auto& [name, count] : other.counts) counts[name] += count;
  for (const auto& [name, value] : other.greatest) raise(name, value);
  for (const auto& [name, histogram] : other.times) times[name].merge(histogram);
  for (const auto& [name, curve] : other.curves) curves[name].merge(curve);
  for (const auto& [name, curve] : other.times_curves) times_curves[name].merge(curve);
  for (const auto& [what, count] : other.errors) errors[what] += count;
  findings += other.findings;
}

}  // namespace holdfast::load
