/// The bare program: writes the rows of real entries by the same layout as the server, and does nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "storage/log_store.h"
#include "tests/bench/measuring.h"

namespace holdfast::bench {

/// Entries as a server left them in its log, interleaved over the partitions as it had them.
struct Recorded {
  struct Entry {
    EncodedEntry encoded;
    std::shared_ptr<const log::Entry> body;
  };
  std::vector<Entry> entries;
  std::uint64_t messages = 0;  ///< posts in them
  std::uint64_t bytes = 0;     ///< of keys and values, as the log has them
  std::uint64_t rows = 0;      ///< of the state
};
/// From the log of a data directory that no server has open: the newest, about `bytes_max` of them.
Recorded read_recorded(const std::filesystem::path& data, std::size_t bytes_max);

struct Bare {
  double per_second = 0;  ///< messages
  double cpu_us = 0;      ///< for a message
  double ack_ms_p50 = 0;  ///< one synced commit
};
/// The log with a synced write for each `entries_per_commit`, the state behind it on a second thread, in turns as the
/// server's applier takes them; until both have everything.
Bare write_bare(const Recorded& recorded, std::size_t entries_per_commit, const std::filesystem::path& folder);

}  // namespace holdfast::bench
