/// What was measured, and how it stands to the baselines of the same run and to the goals.
#pragma once

#include <string>

#include "tests/bench/arrivals.h"
#include "tests/bench/bare.h"
#include "tests/bench/disk.h"
#include "tests/bench/echo.h"
#include "tests/bench/server.h"

namespace holdfast::bench {

struct Measured {
  std::size_t pairs = 0;
  int rounds = 0;
  Syncs disk;
  Syncs commits;  ///< RocksDB, with the batches that the server made under full load
  std::size_t entries_per_commit = 1;
  std::size_t entry_bytes = 0;
  double messages_per_commit = 0;
  Echoed echo;
  std::size_t frame_bytes = 0;
  Bare bare;
  double rows_per_message = 0;       ///< of the state, as the entries have them
  double log_bytes_per_message = 0;  ///< of entries

  Server::LoadFigures full;  ///< medians
  Syncs one_commit;          ///< RocksDB, one small entry, while the server idles: the baseline of a latency
  Server::LoadFigures steady;
  double steady_rate = 0;

  struct Written {  ///< bytes for a delivered message, all of the full load
    double log = 0, log_flush = 0, state_flush = 0, compaction = 0;
  } written;

  Arrivals answers;
  Arrivals resumes;

  Server::LoadFigures cold;  ///< with a state of `cold_state_bytes` and caches of a tenth
  std::size_t cold_pairs = 0;
  double cold_state_bytes = 0;
  double cold_cache_bytes = 0;
};

/// Tables for eyes, as docs/measurements.md has them.
std::string to_text(const Measured& measured);

}  // namespace holdfast::bench
