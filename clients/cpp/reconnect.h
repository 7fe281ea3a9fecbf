/// How long to wait before the next try, after a connection was lost or could not be made. Sans-IO value.
///
/// The first try after a loss comes after random(0, 200 ms); try k after that after random(0, min(20 s, 250 ms * 2^k)),
/// k from 0: full jitter, so that a storm of clients spreads out. What the server asked for (retry_after) comes on top
/// as a minimum; who was told when to come need not guess, and the random part is at most half of that (or 250 ms).
/// A connection that was up, however shortly, makes the waits begin at the base again; one that held for
/// a second makes the next loss a first one.
#pragma once

#include <chrono>

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
  /// The random source outlives the policy.
  ReconnectPolicy(ReconnectOptions options, Random& random) : options_(options), random_(&random) {}

  /// The time to wait before the next try, at least `retry_after`.
  std::chrono::milliseconds next_delay(std::chrono::milliseconds retry_after);
  /// The connection that had come online at `since` is gone.
  void lost_after(SteadyTime since, SteadyTime now);

  /// How many waits there were since the last connection that held.
  unsigned tries() const { return tries_; }
  std::chrono::milliseconds try_max() const { return tries_ <= 2 ? options_.try_max : options_.later_try_max; }

 private:
  ReconnectOptions options_;
  Random* random_;
  unsigned tries_ = 0;
};

}  // namespace holdfast::client
