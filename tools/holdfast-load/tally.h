/// What one process of a run counted; what several counted is their sum.
///
/// Everything has a name, so that a scenario can count what it likes and all of it finds its way to the report. What
/// the names are stands with the scenarios. Value; one thread; references to entries stay good.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "tools/holdfast-load/coarse_times.h"
#include "tools/holdfast-load/findings.h"
#include "tools/holdfast-load/histogram.h"
#include "tools/holdfast-load/series.h"

namespace holdfast::load {

using CountSeries = Series<std::int64_t>;
using TimesSeries = Series<CoarseTimes>;

struct Tally {
  std::map<std::string, std::uint64_t> counts;
  std::map<std::string, std::uint64_t> greatest;  ///< of all processes the greatest, not the sum
  std::map<std::string, Histogram> times;
  std::map<std::string, CountSeries> curves;        ///< how many in each step
  std::map<std::string, TimesSeries> times_curves;  ///< latencies, by the moment at which they ended
  /// Refusals that are final, damaged bodies, sessions that ended: what, and how often. At most kErrorsMax different
  /// ones; the rest is counted as "other errors".
  std::map<std::string, std::uint64_t> errors;
  Findings findings;

  static constexpr std::size_t kErrorsMax = 100;
  void error(const std::string& what);
  std::uint64_t error_count() const;

  std::uint64_t count(const std::string& name) const;     ///< 0 if there is none
  std::uint64_t most(const std::string& name) const;      ///< 0 if there is none
  const Histogram& time(const std::string& name) const;   ///< an empty one if there is none
  void raise(const std::string& name, std::uint64_t to);  ///< greatest[name], if it is less

  void merge(const Tally& other);
};

/// One line of JSON, and back. Fails with corrupt.
std::string tally_to_json(const Tally& tally);
Result<Tally> tally_from_json(std::string_view json);

}  // namespace holdfast::load
