#include "tests/bench/fan_out.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/time.h"
#include "tests/bench/child.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kFrameBytes = 200;  ///< of 100 bytes of text, as it comes to a member

}  // namespace

int serve_fan_out(std::uint16_t port, std::size_t sockets) {
  const int listener = listen_on(port, true);
  ::close(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));  // who looked whether we listen
  std::vector<int> members;
  while (members.size() < sockets) members.push_back(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  const std::string frame(kFrameBytes, 'x');
  while (true)
    for (const int member : members)
      if (::send(member, frame.data(), frame.size(), MSG_NOSIGNAL) < 0) return 0;
}

Arrivals measure_fan_out(std::size_t sockets, Seconds time, const std::string& log) {
  const std::uint16_t port = free_port();
  Child server({"/proc/self/exe", "serve-fan-out", std::to_string(port), std::to_string(sockets)}, log);
  wait_until_listening(port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> members;
  for (std::size_t i = 0; i < sockets; ++i) {
    members.push_back(connect_to(port));
    if (members.back() < 0) give_up("fan-out: can't connect");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = members.back();
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, members.back(), &event);
  }
  std::array<epoll_event, 256> events;
  std::array<char, 64 << 10> buffer;
  std::uint64_t bytes = 0;
  const SteadyTime start = steady_now();
  const Seconds cpu = cpu_of(server.pid());
  while (steady_now() - start < time) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1'000);
    for (int i = 0; i < ready; ++i) {
      const ssize_t got = ::read(events[static_cast<std::size_t>(i)].data.fd, buffer.data(), buffer.size());
      if (got <= 0) give_up("fan-out: a connection was closed");
      bytes += static_cast<std::uint64_t>(got);
    }
  }
  const double frames = static_cast<double>(bytes) / kFrameBytes;
  const Arrivals result{frames / Seconds(steady_now() - start).count(),
                        (cpu_of(server.pid()) - cpu).count() * 1e6 / frames};
  for (const int member : members) ::close(member);
  ::close(epoll);
  return result;
}

}  // namespace holdfast::bench
