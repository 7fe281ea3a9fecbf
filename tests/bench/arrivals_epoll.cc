#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/time.h"
#include "tests/bench/arrivals.h"
#include "tests/bench/child.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kBytes = 64;
constexpr int kUnderWay = 200;
using Block = std::array<char, kBytes>;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void watch(int epoll, int descriptor, std::uint32_t what) {
  epoll_event event{};
  event.events = what;
  event.data.fd = descriptor;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

void accept_all(int epoll, int listener) {
  while (true) {
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    watch(epoll, accepted, EPOLLIN);
  }
}

/// The client closes first, and hard, so that no port waits.
void answer(int socket) {
  Block block;
  const ssize_t got = ::read(socket, block.data(), block.size());
  if (got > 0)
    (void)!::write(socket, block.data(), static_cast<std::size_t>(got));
  else if (got == 0 || errno != EAGAIN)
    ::close(socket);
}

void start_one(int epoll, std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const linger hard{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  const sockaddr_in address = loopback(port);
  (void)::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  watch(epoll, socket, EPOLLOUT | EPOLLONESHOT);
}

/// True: one is through.
bool go_on(int epoll, const epoll_event& event) {
  const int socket = event.data.fd;
  Block block{};
  if ((event.events & (EPOLLERR | EPOLLHUP)) == 0 && (event.events & EPOLLOUT) != 0) {
    (void)!::write(socket, block.data(), block.size());
    epoll_event next{};
    next.events = EPOLLIN;
    next.data.fd = socket;
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &next);
    return false;
  }
  const bool answered = ::read(socket, block.data(), block.size()) == static_cast<ssize_t>(kBytes);
  ::close(socket);
  if (!answered) give_up("accept: a connection was not answered");
  return true;
}

}  // namespace

int serve_answers(std::uint16_t port) {
  const int listener = listen_on(port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener, EPOLLIN);
  std::array<epoll_event, 256> events;
  while (true) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      socket == listener ? accept_all(epoll, listener) : answer(socket);
    }
  }
}

Arrivals measure_answers(Seconds time, const std::string& log) {
  const std::uint16_t port = free_port();
  Child server({"/proc/self/exe", "serve-answers", std::to_string(port)}, log);
  wait_until_listening(port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < kUnderWay; ++i) start_one(epoll, port);
  std::uint64_t done = 0;
  const SteadyTime start = steady_now();
  const Seconds cpu = cpu_of(server.pid());
  std::array<epoll_event, 256> events;
  while (steady_now() - start < time) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1'000);
    for (int i = 0; i < ready; ++i) {
      if (!go_on(epoll, events[static_cast<std::size_t>(i)])) continue;
      ++done;
      start_one(epoll, port);
    }
  }
  const auto count = static_cast<double>(done);
  const Arrivals result{count / Seconds(steady_now() - start).count(),
                        (cpu_of(server.pid()) - cpu).count() * 1e6 / count};
  ::close(epoll);  // what is still under way goes with this process
  return result;
}

}  // namespace holdfast::bench
