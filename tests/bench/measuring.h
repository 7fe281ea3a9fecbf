/// What all measurements share: processor time, medians, a folder that goes away.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::bench {

using Seconds = std::chrono::duration<double>;

/// Processor time of another process so far; 0 if there is none.
Seconds cpu_of(pid_t pid);
/// Of this process, all its threads.
Seconds own_cpu();

/// Of an odd number of runs, the middle one. Not empty.
double median(std::vector<double> values);

/// What went wrong, and the end: a benchmark without one of its parts says nothing.
[[noreturn]] void give_up(const std::string& why);

/// Made below $TMPDIR or the given folder, removed with its owner.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace holdfast::bench
