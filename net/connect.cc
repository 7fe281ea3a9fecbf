/// Addresses as text, and connecting.
#include "net/connect.h"

#include <netinet/in.h>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <vector>

namespace holdfast {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);

Error not_host_port(std::string_view text) {
  return {Errc::invalid_argument,
          "\"" + std::string(text) + "\" is no address: write host:port, as in 127.0.0.1:7400 or [::1]:7400"};
}

/// A socket for `place`, bound to `source` if that is not empty.
error_code open_from(tcp::socket& socket, const tcp::endpoint& place, const std::string& source) {
  error_code error;
  socket.close(error);
  socket.open(place.protocol(), error);
  if (error || source.empty()) return error;
  const auto address = asio::ip::make_address(source, error);
  if (error) return error;
  // The port is chosen when it connects: one port then serves as many connections as there are places to go.
  using NoPortYet = asio::detail::socket_option::boolean<IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT>;
  socket.set_option(NoPortYet(true), error);
  socket.bind({address, 0}, error);
  return error;
}

/// What the timer and the coroutine that connects share: whichever comes first stops the other.
struct Attempt {
  explicit Attempt(const any_io_executor& executor) : resolver(executor), socket(executor), timer(executor) {}

  void give_up() {
    error_code ignored;
    resolver.cancel();
    socket.close(ignored);
    timed_out = true;
  }

  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer timer;
  bool timed_out = false;
};

}  // namespace

std::string HostPort::str() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return not_host_port(text);
  auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return not_host_port(text);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return not_host_port(text);
  }
  HostPort parsed{std::string(host), 0};
  const auto end = port.data() + port.size();
  const auto [stopped, failure] = std::from_chars(port.data(), end, parsed.port);
  if (host.empty() || failure != std::errc() || stopped != end) return not_host_port(text);
  return parsed;
}

bool is_connected_to_itself(const tcp::socket& socket) {
  error_code error;
  const auto here = socket.local_endpoint(error);
  return !error && here == socket.remote_endpoint(error) && !error;
}

Awaitable<Result<tcp::socket>> connect(HostPort where, std::chrono::milliseconds time_max) {
  return connect_from({}, std::move(where), time_max);
}

Awaitable<Result<tcp::socket>> connect_from(std::string source, HostPort where, std::chrono::milliseconds time_max) {
  const auto executor = co_await asio::this_coro::executor;
  const auto attempt = std::make_shared<Attempt>(executor);
  attempt->timer.expires_after(time_max);
  attempt->timer.async_wait([weak = std::weak_ptr(attempt)](error_code error) {
    if (const auto running = weak.lock(); running && !error) running->give_up();
  });

  error_code error;
  std::vector<tcp::endpoint> places;
  const auto address = asio::ip::make_address(where.host, error);
  if (!error) {
    places.emplace_back(address, where.port);
  } else {
    auto [failed, found] = co_await attempt->resolver.async_resolve(where.host, std::to_string(where.port), kAsTuple);
    error = failed;
    for (const auto& entry : found) places.push_back(entry.endpoint());
  }
  for (const tcp::endpoint& place : places) {
    if (attempt->timed_out) break;
    error = open_from(attempt->socket, place, source);
    if (error) continue;
    auto [failed] = co_await attempt->socket.async_connect(place, kAsTuple);
    error = failed;
    if (!error && is_connected_to_itself(attempt->socket)) error = asio::error::connection_refused;
    if (!error) break;
  }
  if (attempt->timed_out) co_return Error{Errc::retry_later, "connecting to " + where.str() + " took too long"};
  if (error) co_return Error{Errc::io, "can't connect to " + where.str() + ": " + error.message()};
  auto socket = std::move(attempt->socket);
  co_return socket;
}

}  // namespace holdfast
