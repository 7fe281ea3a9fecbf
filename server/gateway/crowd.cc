#include "server/gateway/crowd.h"

#include <algorithm>
#include <utility>

namespace holdfast::gateway {

using std::chrono::milliseconds;

namespace {

/// Some are always let in: from whom else would it be learned how long one takes?
constexpr std::size_t kLetInMin = 32;
/// Nobody is told to stay away longer: what is measured now says little about then.
constexpr milliseconds kRetryMax{10'000};
/// Promised is more room than there will be by what was measured: too many only wait a little, too few leave it idle.
constexpr double kBookedShare = 0.7;
/// Who asked for something so lately will soon again.
constexpr milliseconds kLiveFor{20};
/// A loop that was held up by something else says nothing of how long they took.
constexpr milliseconds kRestMax{2};

}  // namespace

void Crowd::look(std::size_t waiting, std::size_t waiting_max, SteadyTime now) {
  waiting_ = waiting;
  if (waiting == 0) {
    surplus_ = let_in_ = 0;
    return time_.idle();
  }
  time_.served(std::exchange(let_in_, 0), now);
  const auto in_time = static_cast<std::size_t>(SteadyTime::duration(options_.wait_max) / time_.each());
  // A quarter is left to those who come while these are served.
  const std::size_t fits = std::max(kLetInMin, std::min(in_time, waiting_max - waiting_max / 4));
  surplus_ = std::min(waiting - std::min(waiting, fits), options_.sent_away_at_once);
}

std::chrono::microseconds Crowd::rest(SteadyTime live_at, SteadyTime now) {
  const SteadyTime::duration took = now - std::exchange(began_at_, now);
  if (!is_there() || now - live_at > kLiveFor) return {};
  const auto rest =
      std::chrono::duration_cast<std::chrono::microseconds>(std::min<SteadyTime::duration>(took, kRestMax));
  began_at_ += rest;
  return rest;
}

std::optional<milliseconds> Crowd::next(SteadyTime now) {
  waiting_ -= std::min<std::size_t>(waiting_, 1);
  if (surplus_ == 0) {
    ++let_in_;
    return std::nullopt;
  }
  --surplus_;
  return book(now);
}

milliseconds Crowd::book(SteadyTime now) {
  const SteadyTime first = now + std::min<SteadyTime::duration>(options_.wait_max, kRetryMax);
  booked_until_ = std::clamp<SteadyTime>(booked_until_, first, now + kRetryMax);
  const auto wait = std::chrono::ceil<milliseconds>(booked_until_ - now);
  booked_until_ += std::chrono::duration_cast<SteadyTime::duration>(time_.each() * kBookedShare);
  return std::max(wait, milliseconds(1));
}

}  // namespace holdfast::gateway
