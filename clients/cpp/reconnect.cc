#include "clients/cpp/reconnect.h"

#include <algorithm>

namespace holdfast::client {

using std::chrono::milliseconds;

milliseconds ReconnectPolicy::next_delay(milliseconds retry_after) {
  milliseconds bound = options_.first_max;
  if (tries_ > 0) {
    // 2^20 steps are far beyond any delay_max; the shift must not overflow.
    const std::int64_t steps = std::int64_t{1} << std::min(tries_ - 1, 20U);
    bound = std::min(options_.delay_max, options_.step * steps);
  }
  if (retry_after.count() > 0) bound = std::min(bound, std::max(options_.step, retry_after / 2));
  ++tries_;
  return retry_after + milliseconds(random_->below(static_cast<std::uint64_t>(bound.count()) + 1));
}

void ReconnectPolicy::lost_after(SteadyTime since, SteadyTime now) {
  tries_ = now - since >= options_.stable_after ? 0 : std::min(tries_, 1U);
}

}  // namespace holdfast::client
