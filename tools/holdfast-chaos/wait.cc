#include "tools/holdfast-chaos/wait.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time.h"

namespace holdfast::chaos {

Awaitable<bool> wait_for(any_io_executor executor, std::function<bool()> done, std::chrono::milliseconds max) {
  constexpr std::chrono::milliseconds kLook{20};
  boost::asio::steady_timer timer(executor);
  const SteadyTime until = steady_now() + max;
  while (!done()) {
    if (steady_now() >= until) co_return false;
    timer.expires_after(kLook);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  co_return true;
}

}  // namespace holdfast::chaos
