#include "server/gateway/websocket_connection.h"

#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdfast::gateway {
namespace {

namespace asio = boost::asio;
constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);
constexpr std::uint16_t kNormalClosure = 1000;  // RFC 6455, 7.4.1

}  // namespace

WebSocketClient::WebSocketClient(ConnectionOwner& owner, SessionParts parts, chat::ConnectionRef self,
                                 std::string peer_address, Admission::Place place, SteadyTime accepted,
                                 std::unique_ptr<WebSocketConnection> socket, TaskGroup& tasks)
    : Connection(owner, parts, self, std::move(peer_address), std::move(place), accepted),
      socket_(std::move(socket)),
      tasks_(tasks),
      resumed_(tasks.executor(), asio::steady_timer::time_point::max()) {}

void WebSocketClient::start() { tasks_.spawn("websocket_read", read_messages(Wait(waits_))); }

void WebSocketClient::close_carrier() {
  socket_->abort();
  resumed_.cancel();
}

Awaitable<void> WebSocketClient::read_messages([[maybe_unused]] Wait wait) {
  while (!is_closed() && !session().is_over()) {
    const auto message = co_await socket_->read();
    if (is_closed()) co_return;
    if (!message) {
      if (!session().is_over()) close();  // else the writer is saying good-bye
      co_return;
    }
    co_await until_it_can_take();
    if (is_closed() || session().is_over()) co_return;
    on_message(*message);
  }
}

Awaitable<void> WebSocketClient::until_it_can_take() {
  while (!is_closed() && !session().is_over() && !session().can_take(owner_.now())) {
    paused_ = true;
    owner_.mark_paused(*this);
    co_await resumed_.async_wait(kAsTuple);
  }
  paused_ = false;
}

void WebSocketClient::on_message(const std::string& message) {
  const auto now = owner_.now();
  owner_.wire().bytes_in += message.size();
  session().on_bytes(now);
  if (message.empty()) {
    session().fail(v1::INVALID_ARGUMENT, "an empty message is no frame");
  } else {
    session().on_frame(message, now);
  }
  owner_.mark_dirty(*this);
}

void WebSocketClient::resume() {
  if (paused_ && (session().is_over() || session().can_take(owner_.now()))) resumed_.cancel();
}

void WebSocketClient::flush() {
  if (is_closed()) return;
  resume();
  if (writing_ || (session().outbox().empty() && !session().is_over())) return;
  writing_ = true;
  tasks_.spawn("websocket_write", write_messages(Wait(waits_)));
}

Awaitable<void> WebSocketClient::write_messages([[maybe_unused]] Wait wait) {
  auto& outbox = session().outbox();
  while (!is_closed() && !outbox.empty()) {
    stalled_at_ = owner_.now();
    std::string message(outbox.front());
    const auto bytes = message.size();
    const auto written = co_await socket_->write(std::move(message));
    stalled_at_.reset();
    if (is_closed()) co_return;
    if (!written) {
      close();
      co_return;
    }
    ++owner_.wire().writes;
    owner_.wire().bytes_out += bytes;
    outbox.took_front();
    session().settle_credit();
    resume();
  }
  if (!is_closed() && session().is_over()) {
    std::string reason;
    co_await socket_->close(kNormalClosure, std::move(reason));
    close();
  }
  writing_ = false;
}

void WebSocketClient::on_tick(SteadyTime now) {
  if (has_stalled(now)) return close();
  session().tick(now);
  session().outbox().release_memory();
  flush();
}

}  // namespace holdfast::gateway
