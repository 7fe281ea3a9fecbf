// Preloaded into a node: makes its disk slow or failing, and its wall clock wrong, while it runs.
//
// The file that HOLDFAST_CHAOS_SHIM names holds shim::Settings; it is mapped and read at every call, so that whoever
// writes it changes the node's world at once. Without the variable nothing is changed.
//
// The kernel knows nothing of the wrong wall clock, but waits until a moment of it are part of what goes wrong: a real one
// that is set back makes them longer, set forward shorter. So those of Abseil (and with it gRPC), which calls futex by way
// of syscall(), are made here the way the kernel would make them. Waits inside of glibc (pthread_cond_timedwait) are not.
#include "tools/holdfast-chaos/shim/settings.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace {

using holdfast::chaos::shim::Settings;

const volatile Settings* settings() {
  static const volatile Settings* const mapped = []() -> const volatile Settings* {
    static const Settings kNothing{};
    const char* file = ::getenv("HOLDFAST_CHAOS_SHIM");
    if (file == nullptr) return &kNothing;
    const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return &kNothing;
    void* const memory = ::mmap(nullptr, sizeof(Settings), PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    return memory == MAP_FAILED ? &kNothing : static_cast<const volatile Settings*>(memory);
  }
  ();
  return mapped;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void wait_for_disk() {
  const std::int64_t delay = settings()->sync_delay_us;
  if (delay <= 0) return;
  timespec time{delay / 1'000'000, delay % 1'000'000 * 1'000};
  while (::nanosleep(&time, &time) != 0 && errno == EINTR) {
  }
}

using Syscall = long (*)(long, ...);

bool earlier(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

timespec true_wall_clock_in_a_moment() {
  constexpr long kMoment_ns = 20'000'000, kSecond_ns = 1'000'000'000;
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  timespec now{};
  real(CLOCK_REALTIME, &now);
  now.tv_nsec += kMoment_ns;
  if (now.tv_nsec >= kSecond_ns) now = {now.tv_sec + 1, now.tv_nsec - kSecond_ns};
  return now;
}

/// Waits until `until` of the wrong clock, wherever that is set to meanwhile: a moment at a time.
long futex_wait(Syscall real, long word, long operation, long value, const timespec& until, long word2, long mask) {
  while (true) {
    const timespec end{until.tv_sec - settings()->clock_offset_s, until.tv_nsec},
        moment = true_wall_clock_in_a_moment();
    const bool last = !earlier(moment, end);
    const long result = real(SYS_futex, word, operation, value, last ? &end : &moment, word2, mask);
    if (last || result == 0 || errno != ETIMEDOUT) return result;
  }
}

}  // namespace

extern "C" {

long syscall(long number, ...) noexcept {
  static const auto real = next<Syscall>("syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  constexpr long kUntilWallClock = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;
  const auto* const until = reinterpret_cast<const timespec*>(a[3]);
  if (number == SYS_futex && (a[1] & ~FUTEX_PRIVATE_FLAG) == kUntilWallClock && until != nullptr)
    return futex_wait(real, a[0], a[1], a[2], *until, a[4], a[5]);
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int fdatasync(int fd) {
  static const auto real = next<int (*)(int)>("fdatasync");
  wait_for_disk();
  return real(fd);
}

int fsync(int fd) {
  static const auto real = next<int (*)(int)>("fsync");
  wait_for_disk();
  return real(fd);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += settings()->clock_offset_s;
  return result;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  static const auto real = next<int (*)(timeval*, void*)>("gettimeofday");
  const int result = real(time, zone);
  if (result == 0) time->tv_sec += settings()->clock_offset_s;
  return result;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
