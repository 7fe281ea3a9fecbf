#include "base/seam.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace holdfast {
namespace {

/// Empty: nobody watches.
const std::filesystem::path& watched_file() {
  static const std::filesystem::path file = [] {
    const char* folder = std::getenv("HOLDFAST_SEAMS");
    return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder) / std::to_string(::getpid());
  }();
  return file;
}

}  // namespace

bool seams_are_watched() { return !watched_file().empty(); }

void pass_seam(std::string_view name) {
  if (!seams_are_watched()) return;
  std::string wanted;
  std::ifstream(watched_file()) >> wanted;
  if (wanted != name) return;
  std::filesystem::remove(watched_file());
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();  // another thread may be the one that is told
}

}  // namespace holdfast
