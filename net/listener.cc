#include "net/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "base/check.h"

namespace holdfast {

namespace asio = boost::asio;

namespace {

constexpr auto kAsTuple = asio::experimental::as_tuple(asio::use_awaitable);
constexpr std::size_t kAtOnce = 64;  ///< accepts before others on the thread get their turn
constexpr int kFirstBytesMaxS = 1;
constexpr std::chrono::milliseconds kPause{20};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using DeferAccept = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_DEFER_ACCEPT>;

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool is_shortage(const error_code& error) {
  return error == asio::error::no_descriptors || error == boost::system::errc::too_many_files_open_in_system ||
         error == asio::error::no_buffer_space || error == asio::error::no_memory;
}

Result<tcp::endpoint> endpoint_of(const HostPort& where) {
  error_code error;
  const auto host = where.host == "localhost" ? "127.0.0.1" : where.host;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return Error{Errc::invalid_argument, "can't listen on \"" + where.str() +
                                             "\": the host must be an address of this machine, localhost, 0.0.0.0 or "
                                             "[::]"};
  }
  return tcp::endpoint(address, where.port);
}

Error listen_error(const HostPort& where, const error_code& error) {
  const auto what = "can't listen on " + where.str() + ": ";
  if (error == asio::error::address_in_use) {
    return {Errc::in_use, what + "another program has this port; stop it (`ss -ltnp` names it) or choose another port"};
  }
  if (error == asio::error::access_denied) {
    return {Errc::permission_denied,
            what + "ports below 1024 need CAP_NET_BIND_SERVICE; grant it or choose a higher port"};
  }
  if (error == boost::system::errc::address_not_available) {
    return {Errc::invalid_argument,
            what + "this machine has no such address (`ip address` lists them); 0.0.0.0 and [::] mean all"};
  }
  return {Errc::io, what + error.message()};
}

error_code open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, const ListenOptions& options) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && options.reuse_port) acceptor.set_option(ReusePort(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.set_option(tcp::no_delay(true), error);  // those that are accepted inherit it
  if (!error && options.after_first_bytes) acceptor.set_option(DeferAccept(kFirstBytesMaxS), error);
  if (!error) acceptor.non_blocking(true, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(options.backlog, error);
  return error;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(any_io_executor executor, const HostPort& where,
                                                 ListenOptions options) {
  auto endpoint = endpoint_of(where);
  if (!endpoint) return endpoint.error();
  tcp::acceptor acceptor(executor);
  const auto error = open_acceptor(acceptor, *endpoint, options);
  if (error) return listen_error(where, error);
  return std::unique_ptr<Listener>(new Listener(std::move(acceptor)));
}

Listener::Listener(tcp::acceptor acceptor) : acceptor_(std::move(acceptor)), reserve_(open_reserve()) {
  error_code ignored;
  local_ = acceptor_.local_endpoint(ignored);
}

Listener::~Listener() {
  close();
  if (reserve_ >= 0) ::close(reserve_);
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

Awaitable<void> Listener::accept_loop(OnAccept on_accept, AcceptPace pace) {
  // A drain stops accepting, too. An end is returned and not thrown.
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  asio::steady_timer pause(acceptor_.get_executor());
  auto turn = Turn::wait;
  for (;;) {
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) co_return;
    const AcceptGo go = pace ? pace(turn == Turn::wait ? Backlog{} : backlog()) : AcceptGo{.count = kAtOnce};
    if (go.after.count() > 0) {
      pause.expires_after(go.after);
      co_await pause.async_wait(kAsTuple);
      const auto meanwhile = co_await asio::this_coro::cancellation_state;
      if (meanwhile.cancelled() != asio::cancellation_type::none) co_return;
    }
    turn = go.count > 0 ? accept_some(go.count, on_accept) : Turn::more;
    switch (turn) {
      case Turn::wait: {
        co_await acceptor_.async_wait(tcp::acceptor::wait_read, kAsTuple);
        break;
      }
      case Turn::more: {
        co_await asio::post(acceptor_.get_executor(), asio::use_awaitable);
        break;
      }
      case Turn::pause: {
        pause.expires_after(kPause);
        co_await pause.async_wait(kAsTuple);
        break;
      }
      case Turn::stop: co_return;
    }
  }
}

Listener::Turn Listener::accept_some(std::size_t count, const OnAccept& on_accept) {
  for (std::size_t i = 0; i < count && acceptor_.is_open(); ++i) {
    tcp::endpoint remote;
    auto length = static_cast<socklen_t>(remote.capacity());
    // Not by Asio, which would ask for the rest of what this gives in three more calls.
    const int accepted = ::accept4(acceptor_.native_handle(), remote.data(), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    error_code error(accepted < 0 ? errno : 0, boost::system::system_category());
    if (!error) {
      remote.resize(length);
      tcp::socket socket(acceptor_.get_executor());
      socket.assign(remote.protocol(), accepted, error);
      if (error) ::close(accepted);
      if (!error) {
        ++accepted_;
        reported_ = false;
        on_accept(std::move(socket), remote);
      }
    } else if (error == asio::error::would_block || error == asio::error::try_again) {
      return Turn::wait;
    } else if (is_shortage(error)) {
      return refuse_one(error);
    }
    // Anything else is the end of that one connection, between its arrival and now.
  }
  return acceptor_.is_open() ? Turn::more : Turn::stop;
}

Backlog Listener::backlog() {
  tcp_info info{};
  socklen_t length = sizeof info;
  // Of a socket that listens these two say how many wait and how many may.
  if (::getsockopt(acceptor_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  return {info.tcpi_unacked, info.tcpi_sacked};
}

Listener::Turn Listener::refuse_one(const error_code& shortage) {
  if (!reported_) spdlog::warn("accept_paused port={} reason=\"{}\" refused={}", port(), shortage.message(), refused_);
  reported_ = true;
  if (reserve_ >= 0) {
    ::close(reserve_);
    error_code error;
    tcp::socket unserved(acceptor_.get_executor());
    acceptor_.accept(unserved, error);
    if (!error) ++refused_;
    unserved.close(error);
  }
  reserve_ = open_reserve();
  return Turn::pause;
}

}  // namespace holdfast
