#include "server/gateway/handshakes.h"

#include <algorithm>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdfast::gateway {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);
constexpr int kAtOnce = 4;  ///< about two milliseconds of computing, then others have their turn

}  // namespace

Awaitable<Handshakes::Turn> Handshakes::turn() {
  if (waiting_.size() >= waiting_max_) co_return Turn::full;
  asio::steady_timer timer(executor_, asio::steady_timer::time_point::max());
  waiting_.push_back(&timer);
  schedule();
  co_await timer.async_wait(kAsTuple);
  // Whose turn it is was taken off; who is cancelled still stands there.
  const auto at = std::find(waiting_.begin(), waiting_.end(), &timer);
  if (at == waiting_.end()) co_return Turn::yes;
  waiting_.erase(at);
  co_return Turn::cancelled;
}

void Handshakes::schedule() {
  if (scheduled_ || waiting_.empty()) return;
  scheduled_ = true;
  asio::post(executor_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->let_some();
  });
}

void Handshakes::let_some() {
  scheduled_ = false;
  for (int i = 0; i < kAtOnce && !waiting_.empty(); ++i) {
    auto* timer = waiting_.front();
    waiting_.pop_front();
    timer->cancel();
  }
  schedule();  // behind everything that is ready by now
}

}  // namespace holdfast::gateway
