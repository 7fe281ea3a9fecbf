#include "server/kernel_settings.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "net/listener.h"

namespace holdfast {
namespace {

constexpr std::uint64_t kBacklog = ListenOptions{}.backlog;
constexpr std::uint64_t kOpenFiles = 65'536;

std::optional<std::uint64_t> number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (!(in >> value)) return std::nullopt;
  return value;
}

}  // namespace

std::vector<KernelSetting> low_kernel_settings(const std::filesystem::path& proc_sys, std::uint64_t open_files_max) {
  struct Wanted {
    const char* name;
    std::uint64_t least;
    const char* why;
  };
  constexpr Wanted kWanted[] = {
      {"net.core.somaxconn", kBacklog,
       "of a crowd that comes at once, who finds as many waiting is dropped, and tries again a second later"},
      {"net.ipv4.tcp_max_syn_backlog", kBacklog, "the same for connections that are half set up"},
  };
  std::vector<KernelSetting> low;
  for (const Wanted& wanted : kWanted) {
    std::string path = wanted.name;
    std::ranges::replace(path, '.', '/');
    const auto value = number_in(proc_sys / path);
    if (value && *value < wanted.least) low.push_back({wanted.name, *value, wanted.least, wanted.why});
  }
  if (open_files_max < kOpenFiles)
    low.push_back({"ulimit -n", open_files_max, kOpenFiles, "it bounds how many clients may be connected"});
  return low;
}

}  // namespace holdfast
