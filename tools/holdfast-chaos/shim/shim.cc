// Preloaded into a node: makes its disk slow or failing, and its wall clock wrong, while it runs.
//
// The file that HOLDFAST_CHAOS_SHIM names holds shim::Settings; it is mapped and read at every call, so that whoever
// writes it changes the node's world at once. Without the variable nothing is changed.
#include "tools/holdfast-chaos/shim/settings.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
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

}  // namespace

extern "C" {

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
