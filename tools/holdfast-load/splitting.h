/// Into how many processes a load is cut, and from which addresses each of them connects. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/holdfast-load/plan.h"

namespace holdfast::load {

/// What this machine gives one process, and how much of it a session takes.
struct Machine {
  std::uint64_t open_files_max = 1'024;
  unsigned cores = 1;
  std::uint64_t ports = 28'232;  ///< that one source address has for connections to one place

  static Machine present();  ///< this one, as it is now
};

struct Wish {
  std::uint64_t sessions = 0;       ///< connections at the same time, of all kinds but these:
  std::uint64_t live_sessions = 0;  ///< those that are to be served by processes of their own
  double rate = 0;                  ///< messages a second
  unsigned processes = 0;           ///< asked for, for the former; 0: as few as will do
  bool loopback = false;            ///< the servers are all on this machine's 127.0.0.1
};

struct Split {
  unsigned processes = 1;       ///< all
  unsigned live_processes = 0;  ///< the last of them, which have nothing but the live traffic; 0: everybody has both
  /// For each process the addresses it connects from, in turn; empty: the system's choice.
  std::vector<std::vector<std::string>> sources;

  Share share(std::uint64_t process) const;
  Share live_share(std::uint64_t process) const;
};

/// Files first: a process holds no more than fit beside its own. Then cores: one process does what one core can, some
/// 4,000 sessions or 20,000 messages a second, if half of the cores are left for whoever else is here. Then addresses: no
/// more connections from one than it has ports, those of a storm before this one still closing. Live traffic that is to
/// be compared with itself has processes of its own: a crowd that keeps its process busy would be measured with it.
/// Fails with invalid_argument if the processes asked for can't hold the sessions.
Result<Split> split(const Wish& wish, const Machine& machine);

}  // namespace holdfast::load
