/// "Something changed, look again", for coroutines of one thread.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/asio.h"

namespace holdfast::chat {

class Wake {
 public:
  explicit Wake(any_io_executor executor) : timer_(executor) {}
  void notify() { timer_.cancel(); }
  /// Returns at the next notify(), or after `time`. The world is looked at again by the caller. Lives in its owner,
  /// which outlives every wait.
  Awaitable<void> wait(std::chrono::milliseconds time = std::chrono::hours(24)) {
    timer_.expires_after(time);
    error_code ignored;
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace holdfast::chat
