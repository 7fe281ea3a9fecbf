/// What /proc says of a process, and of the kernel's memory for sockets.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace holdfast::load {

struct ProcessFigures {
  char state = 0;  ///< as in proc(5): 'Z' is dead and not yet waited for
  double cpu_s = 0;
  std::uint64_t resident_bytes = 0;
};

/// Nothing if there is no such process.
std::optional<ProcessFigures> process_figures(pid_t process);
/// Whether it is gone with all of its threads, and so has no file, socket or lock any more. One whose first thread has
/// ended calls itself dead ('Z') while the others still hold everything.
bool has_ended(pid_t process);
/// Who has the LOCK of this data directory; 0: nobody who lives.
pid_t holder_of_data(const std::filesystem::path& data);

/// Memory that the kernel has in objects of sockets (what /proc/slabinfo counts, which only root may read) and in their
/// buffers, on this machine and for all processes.
struct KernelFigures {
  std::uint64_t slab_bytes = 0;
  std::uint64_t buffer_bytes = 0;
  bool slab_known = false;
};
KernelFigures kernel_figures();
/// The part of /proc/slabinfo that is sockets'. Pure; nothing if the text is none.
std::optional<std::uint64_t> socket_slab_bytes(std::string_view slabinfo);
/// Pages in `mem` of the TCP line of /proc/net/sockstat. Pure.
std::optional<std::uint64_t> tcp_memory_pages(std::string_view sockstat);

}  // namespace holdfast::load
