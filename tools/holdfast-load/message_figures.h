/// What is counted of messages, under names with a prefix of their own: PREFIX_sent, _acked, _delivered; the times
/// PREFIX_ack, _delivery and the curves of the same names.
#pragma once

#include <string>

#include "base/time.h"
#include "tools/holdfast-load/tally.h"

namespace holdfast::load {

/// References into a tally, which outlives it. `began` is what the curves count from.
class MessageFigures {
 public:
  MessageFigures(Tally& tally, const std::string& prefix, SteadyTime began)
      : began_(began),
        sent_(tally.counts[prefix + "_sent"]),
        acked_(tally.counts[prefix + "_acked"]),
        delivered_(tally.counts[prefix + "_delivered"]),
        ack_(tally.times[prefix + "_ack"]),
        delivery_(tally.times[prefix + "_delivery"]),
        ack_curve_(tally.times_curves[prefix + "_ack"]),
        delivery_curve_(tally.times_curves[prefix + "_delivery"]),
        delivered_curve_(tally.curves[prefix + "_delivered"]) {}

  void sent() { ++sent_; }
  void acked(SteadyTime planned, SteadyTime now) {
    ++acked_;
    ack_.add(now - planned);
    ack_curve_.at(now - began_).add(now - planned);
  }
  void delivered(SteadyTime planned, SteadyTime now) {
    ++delivered_;
    delivery_.add(now - planned);
    delivery_curve_.at(now - began_).add(now - planned);
    ++delivered_curve_.at(now - began_);
  }

 private:
  const SteadyTime began_;
  std::uint64_t& sent_;
  std::uint64_t& acked_;
  std::uint64_t& delivered_;
  Histogram& ack_;
  Histogram& delivery_;
  TimesSeries& ack_curve_;
  TimesSeries& delivery_curve_;
  CountSeries& delivered_curve_;
};

}  // namespace holdfast::load
