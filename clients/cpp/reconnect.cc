#include "clients/cpp/reconnect.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::client {

using std::chrono::milliseconds;

ReconnectPolicy::ReconnectPolicy(ReconnectOptions options, std::size_t endpoints, Random& random)
    : options_(options), endpoints_(endpoints), random_(&random), endpoint_(0) {
  HF_CHECK(endpoints > 0, "a client has somewhere to connect to");
  if (endpoints > 1) endpoint_ = random.below(endpoints);
}

milliseconds ReconnectPolicy::next_delay(milliseconds retry_after) {
  milliseconds bound = options_.first_max;
  // 2^20 steps are far beyond any delay_max; the shift must not overflow.
  const std::int64_t steps = std::int64_t{1} << std::min(tries_, 20U);
  if (tries_ > 0) bound = std::min(options_.delay_max, options_.step * steps);
  ++tries_;
  endpoint_ = (endpoint_ + 1) % endpoints_;
  return retry_after + milliseconds(random_->below(static_cast<std::uint64_t>(bound.count()) + 1));
}

void ReconnectPolicy::lost_after(SteadyTime since, SteadyTime now) {
  if (now - since >= options_.stable_after) tries_ = 0;
}

}  // namespace holdfast::client
