#include "tools/holdfast-load/workplace.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>

namespace holdfast::load {
namespace {

using boost::asio::use_awaitable;
using Seconds = std::chrono::duration<double>;

constexpr std::chrono::milliseconds kLook{10};

SteadyTime::duration ticks(Seconds time) { return std::chrono::duration_cast<SteadyTime::duration>(time); }

}  // namespace

void Workplace::acted(SteadyTime planned) { tally.times["late"].add(steady_now() - planned); }

Awaitable<bool> wait_until(Workplace* place, std::function<bool()> done, Seconds max) {
  boost::asio::steady_timer timer(place->executor());
  const SteadyTime until = steady_now() + ticks(max);
  while (!done()) {
    if (steady_now() >= until) co_return false;
    timer.expires_after(kLook);
    co_await timer.async_wait(use_awaitable);
  }
  co_return true;
}

Awaitable<void> wait_for(Workplace* place, Seconds time) {
  boost::asio::steady_timer timer(place->executor());
  timer.expires_after(ticks(time));
  co_await timer.async_wait(use_awaitable);
}

Awaitable<void> next_turn(Workplace* place) { co_await boost::asio::post(place->executor(), use_awaitable); }

std::uint64_t moments(double rate, Seconds time) {
  // Ten times a tenth is one: a moment that rounding alone would put before the end is none.
  constexpr double kRounding = 1e-6;
  return static_cast<std::uint64_t>(std::max(0.0, std::ceil(rate * time.count() - kRounding)));
}

Awaitable<void> at_rate(Workplace* place, Share share, double rate, Seconds time,
                        std::function<void(std::uint64_t, SteadyTime)> act, const bool* stop) {
  if (rate <= 0 || share.of == 0) co_return;
  // The processes take turns: the whole is as even as one process would make it.
  const double between = static_cast<double>(share.of) / rate;
  const SteadyTime first = steady_now() + ticks(Seconds(static_cast<double>(share.index) / rate));
  const std::uint64_t all = moments(rate, time);
  boost::asio::steady_timer timer(place->executor());
  for (std::uint64_t i = 0; share.index + i * share.of < all; ++i) {
    const SteadyTime planned = first + ticks(Seconds(static_cast<double>(i) * between));
    if (stop != nullptr && *stop) co_return;
    if (planned > steady_now()) {
      timer.expires_at(planned);
      co_await timer.async_wait(use_awaitable);
      if (stop != nullptr && *stop) co_return;
    }
    place->acted(planned);
    act(i, planned);
    // Far behind, acting alone would keep the loop from reading.
    constexpr std::uint64_t kActsAtOnce = 64;
    if (i % kActsAtOnce == kActsAtOnce - 1) co_await boost::asio::post(place->executor(), use_awaitable);
  }
}

}  // namespace holdfast::load
