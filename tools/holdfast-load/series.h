/// Something counted over time, in steps of equal length, however long the run is.
///
/// Steps of a tenth of a second at first. When there are more than 1,200 of them they are put together in pairs, so that
/// the memory is bounded and a curve of any length still has 600 points or more. Value; one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace holdfast::load {

/// `Point` is a value with += that begins as nothing.
template <class Point>
class Series {
 public:
  using Time = std::chrono::milliseconds;
  static constexpr Time kStepAtFirst{100};
  static constexpr std::size_t kPointsMax = 1'200;

  Series() = default;
  /// As step() and points() of another one were.
  Series(Time step, std::vector<Point> points) : step_(step), points_(std::move(points)) {
    HF_CHECK(step_ >= kStepAtFirst, "steps only get longer");
  }

  /// The point of this moment, counted from the start; what was before the start is of the first point.
  Point& at(std::chrono::steady_clock::duration moment) {
    const auto ms = std::max<std::int64_t>(0, std::chrono::duration_cast<Time>(moment).count());
    while (static_cast<std::size_t>(ms / step_.count()) >= kPointsMax) halve();
    const auto index = static_cast<std::size_t>(ms / step_.count());
    if (index >= points_.size()) points_.resize(index + 1);
    return points_[index];
  }

  /// The start is now: what was counted until now is of the first point.
  void begin() {
    if (points_.empty()) return;
    Point before = std::move(points_[0]);
    for (std::size_t i = 1; i < points_.size(); ++i) before += points_[i];
    *this = Series();
    points_.push_back(std::move(before));
  }

  void merge(Series other) {
    while (step_ < other.step_) halve();
    while (other.step_ < step_) other.halve();
    if (other.points_.size() > points_.size()) points_.resize(other.points_.size());
    for (std::size_t i = 0; i < other.points_.size(); ++i) points_[i] += other.points_[i];
  }

  Time step() const { return step_; }
  const std::vector<Point>& points() const { return points_; }

 private:
  void halve() {
    for (std::size_t i = 0; 2 * i < points_.size(); ++i) {
      Point pair = std::move(points_[2 * i]);
      if (2 * i + 1 < points_.size()) pair += points_[2 * i + 1];
      points_[i] = std::move(pair);
    }
    points_.resize((points_.size() + 1) / 2);
    step_ *= 2;
  }

  Time step_ = kStepAtFirst;
  std::vector<Point> points_;
};

}  // namespace holdfast::load
