// A tally on its way from one process to another:
//
//     {"counts": {name: n}, "greatest": {name: n}, "errors": {what: n}, "findings": [lost, duplicated, out_of_order],
//      "times": {name: {"max": ns, "steps": [ns, n, ns, n …]}},
//      "curves": {name: {"step": ms, "points": [n …]}},
//      "times_curves": {name: {"step": ms, "points": [[bucket, n, bucket, n …] …]}}}
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "tools/holdfast-load/tally.h"

namespace holdfast::load {
namespace {

namespace json = boost::json;

json::object counts_json(const std::map<std::string, std::uint64_t>& counts) {
  json::object all;
  for (const auto& [name, count] : counts) all[name] = count;
  return all;
}

json::object histogram_json(const Histogram& histogram) {
  json::array steps;
  for (const auto& step : histogram.steps()) {
    steps.push_back(step.value.count());
    steps.push_back(step.count);
  }
  return {{"max", histogram.max().count()}, {"steps", std::move(steps)}};
}

json::value point_json(std::int64_t point) { return point; }
json::value point_json(const CoarseTimes& point) {
  json::array all;
  for (const auto& [bucket, count] : point.counts()) {
    all.push_back(bucket);
    all.push_back(count);
  }
  return all;
}

template <class Point>
json::object series_json(const std::map<std::string, Series<Point>>& series) {
  json::object all;
  for (const auto& [name, curve] : series) {
    json::array points;
    for (const Point& point : curve.points()) points.push_back(point_json(point));
    all[name] = json::object{{"step", curve.step().count()}, {"points", std::move(points)}};
  }
  return all;
}

std::map<std::string, std::uint64_t> read_counts(const json::value& from) {
  std::map<std::string, std::uint64_t> all;
  for (const auto& [name, count] : from.as_object()) all[std::string(name)] = json::value_to<std::uint64_t>(count);
  return all;
}

Histogram read_histogram(const json::value& from) {
  std::vector<Histogram::Step> steps;
  const json::array& flat = from.at("steps").as_array();
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2)
    steps.push_back(
        {Histogram::Duration(json::value_to<std::int64_t>(flat[i])), json::value_to<std::uint64_t>(flat[i + 1])});
  return Histogram::from_steps(steps, Histogram::Duration(json::value_to<std::int64_t>(from.at("max"))));
}

void read_point(const json::value& from, std::int64_t& point) { point = json::value_to<std::int64_t>(from); }
void read_point(const json::value& from, CoarseTimes& point) {
  const json::array& flat = from.as_array();
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2)
    point.add_counted(json::value_to<std::uint16_t>(flat[i]), json::value_to<std::uint32_t>(flat[i + 1]));
}

template <class Point>
std::map<std::string, Series<Point>> read_series(const json::value& from) {
  std::map<std::string, Series<Point>> all;
  for (const auto& [name, curve] : from.as_object()) {
    std::vector<Point> points(curve.at("points").as_array().size());
    for (std::size_t i = 0; i < points.size(); ++i) read_point(curve.at("points").as_array()[i], points[i]);
    const std::chrono::milliseconds step(json::value_to<std::int64_t>(curve.at("step")));
    if (step < Series<Point>::kStepAtFirst) throw std::runtime_error("a step that is too short");
    all.emplace(std::string(name), Series<Point>(step, std::move(points)));
  }
  return all;
}

Tally read_tally(const json::value& from) {
  Tally tally;
  tally.counts = read_counts(from.at("counts"));
  tally.greatest = read_counts(from.at("greatest"));
  tally.errors = read_counts(from.at("errors"));
  const json::array& findings = from.at("findings").as_array();
  tally.findings = {json::value_to<std::uint64_t>(findings.at(0)), json::value_to<std::uint64_t>(findings.at(1)),
                    json::value_to<std::uint64_t>(findings.at(2))};
  for (const auto& [name, histogram] : from.at("times").as_object())
    tally.times[std::string(name)] = read_histogram(histogram);
  tally.curves = read_series<std::int64_t>(from.at("curves"));
  tally.times_curves = read_series<CoarseTimes>(from.at("times_curves"));
  return tally;
}

}  // namespace

std::string tally_to_json(const Tally& tally) {
  json::object times;
  for (const auto& [name, histogram] : tally.times) times[name] = histogram_json(histogram);
  const json::object all{
      {"counts", counts_json(tally.counts)},
      {"greatest", counts_json(tally.greatest)},
      {"errors", counts_json(tally.errors)},
      {"findings", {tally.findings.lost, tally.findings.duplicated, tally.findings.out_of_order}},
      {"times", std::move(times)},
      {"curves", series_json(tally.curves)},
      {"times_curves", series_json(tally.times_curves)},
  };
  return json::serialize(all);
}

Result<Tally> tally_from_json(std::string_view text) {
  try {
    return read_tally(json::parse(text));
  } catch (const std::exception& error) {
    return Error{Errc::corrupt, std::string("a worker's figures can't be read: ") + error.what()};
  }
}

}  // namespace holdfast::load
