/// Into how many processes a load is cut, and from which addresses each of them connects. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::load {

/// What this machine gives one process, and how much of it a session takes.
struct Machine {
  std::uint64_t open_files_max = 1'024;
  unsigned cores = 1;
  std::uint64_t ports = 28'232;  ///< that one source address has for connections to one place

  static Machine present();  ///< this one, as it is now
};

struct Wish {
  std::uint64_t sessions = 0;  ///< connections at the same time, of all kinds
  double rate = 0;             ///< messages a second
  unsigned processes = 0;      ///< asked for; 0: as few as will do
  bool loopback = false;       ///< the servers are all on this machine's 127.0.0.1
};

struct Split {
  unsigned processes = 1;
  /// For each process the addresses it connects from, in turn; empty: the system's choice.
  std::vector<std::vector<std::string>> sources;
};

/// Files first: a process holds no more than fit beside its own. Then cores: one process does what one core can, some
/// 4,000 sessions or 20,000 messages a second, if half of the cores are left for whoever else is here. Then addresses: no
/// more connections from one than it has ports, those of a storm before this one still closing.
/// Fails with invalid_argument if the processes asked for can't hold the sessions.
Result<Split> split(const Wish& wish, const Machine& machine);

}  // namespace holdfast::load
