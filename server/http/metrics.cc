#include "server/http/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace holdfast::http {

prometheus::ClientMetric& Metrics::add(const std::string& name, const std::string& help, prometheus::MetricType type,
                                       const Labels& labels) {
  const std::string full = "holdfast_" + name;
  auto family = std::find_if(families_.begin(), families_.end(), [&](const auto& one) { return one.name == full; });
  if (family == families_.end()) {
    family = families_.insert(families_.end(), prometheus::MetricFamily{full, help, type, {}});
  }
  HF_CHECK(family->type == type, "a metric has one type");
  auto& metric = family->metric.emplace_back();
  for (const auto& [key, value] : labels) metric.label.push_back({key, value});
  return metric;
}

void Metrics::counter(const std::string& name, const std::string& help, double value, const Labels& labels) {
  add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void Metrics::gauge(const std::string& name, const std::string& help, double value, const Labels& labels) {
  add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void Metrics::histogram(const std::string& name, const std::string& help, const HistogramFigures& figures,
                        const Labels& labels) {
  HF_CHECK(figures.counts.size() == figures.bounds.size() + 1, "one count for each bound and one beyond");
  auto& out = add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < figures.counts.size(); ++i) {
    so_far += figures.counts[i];
    const double bound = i < figures.bounds.size() ? figures.bounds[i] : std::numeric_limits<double>::infinity();
    out.bucket.push_back({so_far, bound});
  }
  out.sample_count = so_far;
  out.sample_sum = figures.sum;
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(families_); }

}  // namespace holdfast::http
