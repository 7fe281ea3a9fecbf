/// When to try again after a connection was lost or could not be made, and where. Sans-IO value.
///
/// The first try after a loss comes after random(0, 200 ms); try k after random(0, min(20 s, 250 ms * 2^k)): full
/// jitter, so that a storm of clients spreads out. What the server asked for (retry_after) comes on top as a minimum.
/// Each try goes to the next endpoint; the first endpoint is drawn, so that many clients with one list spread.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/random.h"
#include "base/time.h"

namespace holdfast::client {

struct ReconnectOptions {
  std::chrono::milliseconds first_max{200};
  std::chrono::milliseconds step{250};
  std::chrono::milliseconds delay_max{20'000};
  /// A connection that held this long makes the next loss a first one again.
  std::chrono::milliseconds stable_after{1'000};
  /// For connect, TLS and resume together: the first two tries, and those after.
  std::chrono::milliseconds try_max{1'000};
  std::chrono::milliseconds later_try_max{5'000};
};

class ReconnectPolicy {
 public:
  /// `endpoints` is at least 1. The random source outlives the policy.
  ReconnectPolicy(ReconnectOptions options, std::size_t endpoints, Random& random);

  /// The time to wait before the next try, at least `retry_after`. Moves on to the next endpoint.
  std::chrono::milliseconds next_delay(std::chrono::milliseconds retry_after);
  /// The connection that had come online at `since` is gone.
  void lost_after(SteadyTime since, SteadyTime now);

  std::size_t endpoint() const { return endpoint_; }
  /// How many waits there were since the last stable connection.
  unsigned tries() const { return tries_; }
  std::chrono::milliseconds try_max() const { return tries_ <= 2 ? options_.try_max : options_.later_try_max; }

 private:
  ReconnectOptions options_;
  std::size_t endpoints_;
  Random* random_;
  std::size_t endpoint_;
  unsigned tries_ = 0;
};

}  // namespace holdfast::client
