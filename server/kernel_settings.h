/// What the operator must set in the kernel for a node to stand a crowd that comes back: checked at the start, as neither
/// the server nor its clients would learn otherwise why a second is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace holdfast {

/// One setting that is too low.
struct KernelSetting {
  std::string name;  ///< for sysctl(8), or ulimit -n
  std::uint64_t value = 0, wanted = 0;
  std::string why;
};

/// Reads the settings below `proc_sys` (/proc/sys); one that can't be read is not complained of. `open_files_max`: what
/// this process may have.
std::vector<KernelSetting> low_kernel_settings(const std::filesystem::path& proc_sys, std::uint64_t open_files_max);

}  // namespace holdfast
