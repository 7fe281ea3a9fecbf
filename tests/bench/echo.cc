#include "tests/bench/echo.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "base/time.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "proto/frame.h"
#include "tests/bench/child.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kBufferBytes = 16 << 10;
constexpr auto kAsTuple = boost::asio::experimental::as_tuple(boost::asio::use_awaitable);

/// Cuts what came into frames and hands each on.
template <class OnFrame>
void for_each_frame(FrameDecoder& decoder, std::string_view bytes, OnFrame on_frame) {
  while (true) {
    auto payload = decoder.next(bytes);
    if (!payload) give_up("echo: " + payload.error().message);
    if (!*payload) return;
    on_frame(**payload);
  }
}

Awaitable<void> serve_one(tcp::socket socket) {
  std::vector<char> buffer(kBufferBytes);
  FrameDecoder decoder;
  std::string out;
  while (true) {
    const auto [error, bytes] = co_await socket.async_read_some(boost::asio::buffer(buffer), kAsTuple);
    if (error) co_return;
    out.clear();
    for_each_frame(decoder, {buffer.data(), bytes}, [&](std::string_view payload) { append_frame(out, payload); });
    if (out.empty()) continue;
    const auto [failed, written] = co_await boost::asio::async_write(socket, boost::asio::buffer(out), kAsTuple);
    if (failed) co_return;
  }
}

void serve_on_this_thread(std::uint16_t port) {
  boost::asio::io_context io(1);
  TaskGroup tasks(io.get_executor());
  auto listener = Listener::open(io.get_executor(), {"127.0.0.1", port}, {.reuse_port = true});
  if (!listener) give_up(listener.error().message);
  tasks.spawn("accept", (*listener)->accept_loop([&](tcp::socket socket, const tcp::endpoint&) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    tasks.spawn("echo", serve_one(std::move(socket)));
  }));
  io.run();
}

struct Count {
  std::uint64_t frames = 0;
};

Awaitable<void> keep_busy(tcp::socket* socket, EchoLoad load, Count* count) {
  const std::string payload(load.frame_bytes - kFrameHeaderBytes, 'x');
  std::vector<char> buffer(kBufferBytes);
  FrameDecoder decoder;
  std::string out;
  for (std::size_t i = 0; i < load.ahead; ++i) append_frame(out, payload);
  while (true) {
    const auto [failed, written] = co_await boost::asio::async_write(*socket, boost::asio::buffer(out), kAsTuple);
    if (failed) co_return;
    out.clear();
    while (out.empty()) {
      const auto [error, bytes] = co_await socket->async_read_some(boost::asio::buffer(buffer), kAsTuple);
      if (error) co_return;
      for_each_frame(decoder, {buffer.data(), bytes}, [&](std::string_view echoed) {
        ++count->frames;
        append_frame(out, echoed);
      });
    }
  }
}

Awaitable<void> run_load(EchoLoad load, std::uint16_t port, pid_t server, Seconds time, Echoed* result) {
  const auto executor = co_await boost::asio::this_coro::executor;
  std::vector<std::unique_ptr<tcp::socket>> sockets;
  for (std::size_t i = 0; i < load.connections; ++i) {
    HostPort where{"127.0.0.1", port};
    auto socket = co_await connect(std::move(where), std::chrono::seconds(10));
    if (!socket) give_up("echo: " + socket.error().message);
    sockets.push_back(std::make_unique<tcp::socket>(std::move(*socket)));
    sockets.back()->set_option(tcp::no_delay(true));
  }
  Count count;
  TaskGroup tasks(executor);
  for (std::size_t i = 0; i < load.active; ++i) tasks.spawn("echo", keep_busy(sockets[i].get(), load, &count));

  boost::asio::steady_timer timer(executor);
  timer.expires_after(std::chrono::milliseconds(300));
  co_await timer.async_wait(boost::asio::use_awaitable);
  const std::uint64_t frames = count.frames;
  const Seconds cpu = cpu_of(server);
  const SteadyTime start = steady_now();
  timer.expires_after(std::chrono::duration_cast<std::chrono::milliseconds>(time));
  co_await timer.async_wait(boost::asio::use_awaitable);
  const auto done = static_cast<double>(count.frames - frames);
  result->per_second = done / Seconds(steady_now() - start).count();
  result->server_cpu_us = (cpu_of(server) - cpu).count() * 1e6 / done;
  for (auto& socket : sockets) socket->close();
  co_await tasks.join();
}

}  // namespace

int serve_echo(std::uint16_t port) {
  std::thread other([port] { serve_on_this_thread(port); });
  serve_on_this_thread(port);
  other.join();
  return 0;
}

Echoed measure_echo(const EchoLoad& load, Seconds time, const std::string& log) {
  const std::uint16_t port = free_port();
  Child server({"/proc/self/exe", "serve-echo", std::to_string(port)}, log);
  wait_until_listening(port);
  Echoed result;
  boost::asio::io_context io(1);
  TaskGroup tasks(io.get_executor());
  tasks.spawn("echo load", run_load(load, port, server.pid(), time, &result));
  io.run();
  return result;
}

}  // namespace holdfast::bench
