#include "base/start.h"

#include <csignal>

#include <sodium.h>

#include "base/check.h"

namespace holdfast {

void start_process() {
  HF_CHECK(sodium_init() >= 0, "libsodium does not start");
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace holdfast
