#include "net/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <sstream>

#include "base/check.h"

namespace holdfast {

namespace asio = boost::asio;
using State = IoResult::State;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);

error_code errno_code() { return {errno, boost::system::system_category()}; }

bool is_would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Stream::Stream(tcp::socket socket) : socket_(std::move(socket)) {
  // Errors here are errors of a socket that is dying; the first read tells.
  error_code ignored;
  remote_ = socket_.remote_endpoint(ignored);
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
}

Stream::~Stream() { close(); }

IoResult Stream::plain_result(ssize_t moved, bool reading) {
  if (moved > 0) return {State::ok, static_cast<std::size_t>(moved), {}};
  if (moved == 0) return {State::end, 0, {}};
  if (is_would_block()) return {reading ? State::would_block_read : State::would_block_write, 0, {}};
  return {State::failed, 0, errno_code()};
}

IoResult Stream::read_now(std::span<char> into) {
  HF_CHECK(!into.empty(), "reading into nothing would look like the end");
  if (!is_open()) return {State::failed, 0, asio::error::bad_descriptor};
  if (!unread_.empty()) {
    const auto count = std::min(into.size(), unread_.size());
    std::copy_n(unread_.begin(), count, into.begin());
    unread_.erase(0, count);
    return {State::ok, count, {}};
  }
  if (!ssl_) return plain_result(::recv(native_handle(), into.data(), into.size(), 0), true);
  return tls_read(into);
}

IoResult Stream::write_now(std::string_view from) {
  HF_CHECK(!from.empty(), "there is nothing to write");
  if (!is_open()) return {State::failed, 0, asio::error::bad_descriptor};
  if (!ssl_) return plain_result(::send(native_handle(), from.data(), from.size(), MSG_NOSIGNAL), false);
  return tls_write(from);
}

Awaitable<error_code> Stream::wait_readable() {
  if (has_buffered()) co_return error_code();
  auto [error] = co_await socket_.async_wait(tcp::socket::wait_read, kAsTuple);
  co_return error;
}

Awaitable<error_code> Stream::wait_writable() {
  auto [error] = co_await socket_.async_wait(tcp::socket::wait_write, kAsTuple);
  co_return error;
}

Awaitable<error_code> Stream::wait_for(IoResult would_block) {
  HF_CHECK(would_block.would_block(), "there is nothing to wait for");
  return would_block.state == State::would_block_read ? wait_readable() : wait_writable();
}

void Stream::on_readable(std::function<void(error_code)> done) {
  if (has_buffered()) {
    asio::post(executor(), [done = std::move(done)] { done({}); });
  } else {
    socket_.async_wait(tcp::socket::wait_read, std::move(done));
  }
}

void Stream::on_writable(std::function<void(error_code)> done) {
  socket_.async_wait(tcp::socket::wait_write, std::move(done));
}

Awaitable<error_code> Stream::write_all(std::string_view from) {
  while (!from.empty()) {
    const auto result = write_now(from);
    if (result.ok()) {
      from.remove_prefix(result.bytes);
    } else if (result.would_block()) {
      const auto error = co_await wait_for(result);
      if (error) co_return error;
    } else {
      co_return result.state == State::end ? error_code(asio::error::eof) : result.error;
    }
  }
  co_return error_code();
}

Awaitable<Stream::ReadSome> Stream::read_some(std::span<char> into) {
  for (;;) {
    const auto result = read_now(into);
    if (result.ok()) co_return ReadSome{{}, result.bytes};
    if (result.state == State::end) co_return ReadSome{asio::error::eof, 0};
    if (!result.would_block()) co_return ReadSome{result.error, 0};
    const auto error = co_await wait_for(result);
    if (error) co_return ReadSome{error, 0};
  }
}

void Stream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::shutdown() {
  if (!is_open()) return;
  say_tls_goodbye();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void Stream::close() {
  free_tls();
  error_code ignored;
  socket_.close(ignored);
}

std::string Stream::remote_text() const {
  std::ostringstream text;
  text << remote_;
  return text.str();
}

}  // namespace holdfast
