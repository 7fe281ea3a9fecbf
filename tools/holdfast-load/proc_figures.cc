#include "tools/holdfast-load/proc_figures.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>

namespace holdfast::load {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What one socket of a process takes: the socket, its inode and name, its descriptor, its place in an epoll, and the
/// heads of what waits in its buffers.
constexpr std::array<std::string_view, 14> kSocketCaches = {"TCP",
                                                            "TCPv6",
                                                            "sock_inode_cache",
                                                            "dentry",
                                                            "filp",
                                                            "eventpoll_epi",
                                                            "eventpoll_pwq",
                                                            "skbuff_head_cache",
                                                            "skbuff_fclone_cache",
                                                            "skbuff_small_head",
                                                            "request_sock_TCP",
                                                            "tw_sock_TCP",
                                                            "tcp_bind_bucket",
                                                            "ep_head"};

/// To the nanosecond, where /proc counts in hundredths of a second. Nothing if the process is gone.
std::optional<double> processor_seconds(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return std::nullopt;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

std::optional<ProcessFigures> process_figures(pid_t process) {
  const std::string folder = "/proc/" + std::to_string(process);
  const std::string line = contents(folder + "/stat");
  // proc(5): the name in parentheses may hold anything, so count from the last of them.
  const auto close = line.rfind(')');
  if (close == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(close + 1));
  ProcessFigures figures;
  std::string skipped;
  double user = 0, system = 0;
  rest >> figures.state;
  for (int field = 4; field < 14; ++field) rest >> skipped;
  rest >> user >> system;
  if (!rest) return std::nullopt;
  const double ticks_s = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  figures.cpu_s = processor_seconds(process).value_or(ticks_s);
  std::istringstream pages(contents(folder + "/statm"));
  std::uint64_t total = 0, resident = 0;
  if (pages >> total >> resident)
    figures.resident_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return figures;
}

bool has_ended(pid_t process) {
  const auto figures = process_figures(process);
  if (!figures) return true;
  if (figures->state != 'Z' && figures->state != 'X') return false;
  std::error_code error;
  const std::filesystem::directory_iterator threads("/proc/" + std::to_string(process) + "/task", error);
  return error || std::distance(begin(threads), end(threads)) <= 1;
}

pid_t holder_of_data(const std::filesystem::path& data) {
  std::ifstream file(data / "LOCK");
  pid_t process = 0;
  file >> process;
  return process > 0 && process_figures(process) ? process : 0;
}

std::optional<std::uint64_t> socket_slab_bytes(std::string_view slabinfo) {
  if (!slabinfo.starts_with("slabinfo")) return std::nullopt;
  std::istringstream lines{std::string(slabinfo)};
  std::string line;
  std::uint64_t bytes = 0;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string name;
    std::uint64_t active = 0, all = 0, size = 0;
    if (!(fields >> name >> active >> all >> size)) continue;
    if (std::find(kSocketCaches.begin(), kSocketCaches.end(), name) != kSocketCaches.end()) bytes += active * size;
  }
  return bytes;
}

std::optional<std::uint64_t> tcp_memory_pages(std::string_view sockstat) {
  std::istringstream lines{std::string(sockstat)};
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("TCP:")) continue;
    const auto at = line.find(" mem ");
    if (at == std::string::npos) return std::nullopt;
    std::istringstream value(line.substr(at + 5));
    std::uint64_t pages = 0;
    if (value >> pages) return pages;
  }
  return std::nullopt;
}

KernelFigures kernel_figures() {
  KernelFigures figures;
  if (const auto slab = socket_slab_bytes(contents("/proc/slabinfo"))) {
    figures.slab_bytes = *slab;
    figures.slab_known = true;
  }
  figures.buffer_bytes = tcp_memory_pages(contents("/proc/net/sockstat")).value_or(0) *
                         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return figures;
}

}  // namespace holdfast::load
