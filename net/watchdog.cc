#include "net/watchdog.h"

#include <boost/asio/steady_timer.hpp>
#include <cstdint>

namespace holdfast {

struct Watchdog::State {
  explicit State(Stream& watched) : stream(&watched), timer(watched.executor()) {}

  Stream* stream;  ///< null once the watchdog is gone: a timer's end may be on its way already
  boost::asio::steady_timer timer;
  std::uint64_t armed = 0;  ///< which arming is in force; an end of an earlier one means nothing
  bool barked = false;
};

Watchdog::Watchdog(Stream& stream) : state_(std::make_shared<State>(stream)) {}

Watchdog::~Watchdog() {
  disarm();
  state_->stream = nullptr;
}

void Watchdog::arm(std::chrono::milliseconds time) {
  const auto armed = ++state_->armed;
  state_->timer.expires_after(time);
  state_->timer.async_wait([weak = std::weak_ptr(state_), armed](error_code error) {
    const auto state = weak.lock();
    if (error || !state || !state->stream || state->armed != armed) return;
    state->barked = true;
    state->stream->close();
  });
}

void Watchdog::disarm() {
  ++state_->armed;
  state_->timer.cancel();
}

bool Watchdog::barked() const { return state_->barked; }

}  // namespace holdfast
