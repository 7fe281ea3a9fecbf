#include "tools/holdfast-load/splitting.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace holdfast::load {
namespace {

constexpr std::uint64_t kOwnFiles = 200;
constexpr std::uint64_t kSessionsOfACore = 4'000;
constexpr double kRateOfACore = 20'000;

std::uint64_t parts(std::uint64_t total, std::uint64_t of_one) { return (total + of_one - 1) / of_one; }

unsigned processes_wanted(const Wish& wish, const Machine& machine) {
  const auto work =
      std::max(parts(wish.sessions, kSessionsOfACore), static_cast<std::uint64_t>(wish.rate / kRateOfACore) + 1);
  const auto cores = std::max(1u, machine.cores / 2);
  return static_cast<unsigned>(std::min<std::uint64_t>(work, cores));
}

/// 127.0.0.1 is left to whoever else is on this machine.
std::string loopback_address(std::uint64_t index) {
  index += 2;
  return "127." + std::to_string(index >> 16 & 0x7f) + "." + std::to_string(index >> 8 & 0xff) + "." +
         std::to_string(index & 0xff);
}

}  // namespace

Share Split::share(std::uint64_t process) const {
  const std::uint64_t crowded = processes - live_processes;
  return process < crowded ? Share{process, crowded} : Share{0, 0};
}

Share Split::live_share(std::uint64_t process) const {
  if (live_processes == 0) return share(process);
  const std::uint64_t crowded = processes - live_processes;
  return process < crowded ? Share{0, 0} : Share{process - crowded, live_processes};
}

Machine Machine::present() {
  Machine machine;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) machine.open_files_max = files.rlim_cur;
  machine.cores = std::max(1u, std::thread::hardware_concurrency());
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  std::uint64_t first = 0, last = 0;
  if (range >> first >> last && last > first) machine.ports = last - first + 1;
  return machine;
}

Result<Split> split(const Wish& wish, const Machine& machine) {
  const std::uint64_t of_one = machine.open_files_max > 2 * kOwnFiles ? machine.open_files_max - kOwnFiles : kOwnFiles;
  const auto by_files = static_cast<unsigned>(std::max<std::uint64_t>(1, parts(wish.sessions, of_one)));
  if (wish.processes != 0 && wish.processes < by_files)
    return Error{Errc::invalid_argument,
                 std::to_string(wish.sessions) + " connections need " + std::to_string(by_files) +
                     " processes, since one may open " + std::to_string(machine.open_files_max) +
                     " files here: leave --processes out, ask for that many, or raise the limit (ulimit -n)"};
  Split result;
  result.live_processes = static_cast<unsigned>(parts(wish.live_sessions, of_one));
  result.processes = wish.processes != 0 ? wish.processes : std::max(by_files, processes_wanted(wish, machine));
  result.processes += result.live_processes;
  result.sources.resize(result.processes);
  if (!wish.loopback) return result;
  // Ports of a connection that was closed here stay taken for a minute: half of them are counted on.
  const std::uint64_t addresses =
      std::max<std::uint64_t>(1, parts(parts(wish.sessions, result.processes), machine.ports / 2));
  std::uint64_t next = 0;
  for (auto& sources : result.sources)
    for (std::uint64_t i = 0; i < addresses; ++i) sources.push_back(loopback_address(next++));
  return result;
}

}  // namespace holdfast::load
