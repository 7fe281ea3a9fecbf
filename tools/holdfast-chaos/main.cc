// holdfast-chaos: breaks a cluster, and checks what its clients saw. See options.cc for its help.
#include <csignal>

#include "base/start.h"
#include "tools/holdfast-chaos/run.h"

using namespace holdfast;

namespace {

std::atomic<bool> interrupted{false};
void interrupt(int) { interrupted = true; }

}  // namespace

int main(int argc, char** argv) {
  start_process();
  auto options = chaos::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  // The run ends early and cleans up; what it had by then is checked and reported.
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  return chaos::run(std::get<chaos::Options>(options), interrupted);
}
