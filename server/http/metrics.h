/// Metrics on their way to Prometheus' text format.
#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::http {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// A histogram as it is counted: upper bounds, how many fell under each (not cumulated), one more count for the rest.
struct HistogramFigures {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double sum = 0;
};

/// Collects families in the order of their first mention. Names get the prefix "holdfast_"; units by Prometheus'
/// conventions (_seconds, _bytes, _total).
class Metrics {
 public:
  void counter(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void histogram(const std::string& name, const std::string& help, const HistogramFigures& figures,
                 const Labels& labels = {});

  /// The text format, version 0.0.4.
  std::string text() const;

 private:
  prometheus::ClientMetric& add(const std::string& name, const std::string& help, prometheus::MetricType type,
                                const Labels& labels);
  std::vector<prometheus::MetricFamily> families_;
};

/// Called for each scrape, on the HTTP server's thread; must not block.
using MetricsSource = std::function<void(Metrics&)>;

}  // namespace holdfast::http
