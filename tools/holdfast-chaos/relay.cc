#include "tools/holdfast-chaos/relay.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <queue>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "tools/holdfast-chaos/child.h"

namespace holdfast::chaos {
namespace {

constexpr const char* kTap = "slow0";
constexpr std::size_t kFrameBytesMax = 65'536;
constexpr std::size_t kWaitingMax = 20'000;  // more are dropped, as a cable's queue would
constexpr int kLook_ms = 20;

/// The device is made in the namespace of the thread that opens it. -1: it can't be had.
int open_tap(const std::string& network) {
  int tap = -1;
  std::thread inside([&] {
    const int home = ::open(("/run/netns/" + network).c_str(), O_RDONLY | O_CLOEXEC);
    if (home >= 0 && ::setns(home, CLONE_NEWNET) == 0) tap = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (home >= 0) ::close(home);
    if (tap < 0) return;
    ifreq wanted{};
    wanted.ifr_flags = IFF_TAP | IFF_NO_PI;
    std::strncpy(wanted.ifr_name, kTap, IFNAMSIZ - 1);
    if (::ioctl(tap, TUNSETIFF, &wanted) == 0) return;
    ::close(tap);
    tap = -1;
  });
  inside.join();
  return tap;
}

struct Frame {
  SteadyTime due;
  int to;
  std::vector<char> bytes;
  friend bool operator<(const Frame& a, const Frame& b) { return a.due > b.due; }  // the earliest on top
};

}  // namespace

Status Relay::start(const RelaySettings& settings) {
  HF_CHECK(!thread_.joinable(), "a relay stands once at a time");
  settings_ = settings;
  hub_ = open_tap(settings.hub);
  node_ = open_tap(settings.node);
  Status ready = hub_ >= 0 && node_ >= 0 ? plug_in() : Status(Error{Errc::io, "no TAP device (/dev/net/tun)"});
  if (!ready) {
    stop();
    return ready;
  }
  stopping_ = false;
  thread_ = std::thread([this] { carry(); });
  return Ok{};
}

/// The TAP device takes the hardware address, so that nobody has to ask for it again, and the bridge learns its new
/// port with the first frame.
Status Relay::plug_in() {
  const std::string& own = settings_.device;
  if (auto done =
          run({"sh", "-c",
               "ip link set " + std::string(kTap) + " master " + settings_.bridge + " && ip link set " + kTap + " up"},
              settings_.hub);
      !done)
    return done;
  return run({"sh", "-c",
              "mac=$(ip -o link show " + own + " | sed 's/.*ether \\([^ ]*\\).*/\\1/') && ip link set " + own +
                  " down && ip link set " + kTap + " address $mac && ip addr add " + settings_.address + " dev " +
                  kTap + " && ip link set " + kTap + " up"},
             settings_.node);
}

void Relay::stop() {
  if (thread_.joinable()) {
    stopping_ = true;
    thread_.join();
  }
  if (hub_ < 0 && node_ < 0) return;
  for (int* one : {&hub_, &node_}) {
    if (*one >= 0) ::close(*one);  // the device goes with it
    *one = -1;
  }
  (void)run({"ip", "link", "set", settings_.device, "up"}, settings_.node);
}

void Relay::carry() {
  SystemRandom random;
  std::priority_queue<Frame> waiting;
  std::array<char, kFrameBytesMax> bytes;
  while (!stopping_) {
    int wait_ms = kLook_ms;
    if (!waiting.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting.top().due - steady_now()).count();
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, kLook_ms));
    }
    std::array<pollfd, 2> ends{pollfd{hub_, POLLIN, 0}, pollfd{node_, POLLIN, 0}};
    ::poll(ends.data(), ends.size(), wait_ms);
    for (const int from : {hub_, node_}) {
      for (ssize_t got = 0; (got = ::read(from, bytes.data(), bytes.size())) > 0;) {
        if (random.below(100) < settings_.loss_percent || waiting.size() >= kWaitingMax) continue;
        const std::uint64_t delay_us = settings_.delay_ms * 750ULL + random.below(settings_.delay_ms * 500ULL + 1);
        waiting.push({steady_now() + std::chrono::microseconds(delay_us),
                      from == hub_ ? node_ : hub_,
                      {bytes.data(), bytes.data() + got}});
      }
    }
    for (const SteadyTime now = steady_now(); !waiting.empty() && waiting.top().due <= now; waiting.pop()) {
      const Frame& frame = waiting.top();
      (void)!::write(frame.to, frame.bytes.data(), frame.bytes.size());  // a full device loses it, as a cable would
    }
  }
}

}  // namespace holdfast::chaos
