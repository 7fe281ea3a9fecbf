#include "tools/holdfast-demo/result.h"

#include <boost/json.hpp>
#include <cmath>

namespace holdfast::demo {
namespace {

boost::json::value or_null(const std::optional<std::int64_t>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

}  // namespace

double in_ms(load::Histogram::Duration time) {
  return std::round(static_cast<double>(time.count()) / 1e5) / 10;  // tenths
}

std::string to_json(const FilmResult& r) {
  const boost::json::object json{
      {"detected_ms", or_null(r.detected_ms)},
      {"promoted_ms", or_null(r.promoted_ms)},
      {"back_ms",
       boost::json::object{
           {"p50", in_ms(r.back.at(0.5))}, {"p99", in_ms(r.back.at(0.99))}, {"max", in_ms(r.back.max())}}},
      {"lost", r.findings.lost},
      {"duplicated", r.findings.duplicated},
      {"out_of_order", r.findings.out_of_order},
      {"drain_late_ms_max", r.drain_late_ms_max},
      {"rejoined_ms", or_null(r.rejoined_ms)},
      {"nodes", r.nodes},
      {"clients", r.clients},
      {"clients_moved", r.back.count()},
      {"messages", r.messages},
      {"unacknowledged", r.unacknowledged},
      {"killed", r.killed},
      {"drained", r.drained},
      {"seconds", std::round(r.seconds * 10) / 10},
  };
  return boost::json::serialize(json) + "\n";
}

}  // namespace holdfast::demo
