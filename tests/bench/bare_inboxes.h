/// The rows of users' inboxes, read from RocksDB one after the other and written to sockets: the baseline of catching up.
#pragma once

#include <cstdint>
#include <filesystem>

namespace holdfast::bench {

/// A child process's whole life: of a data directory that no server has open. A request is a user's id, 16 bytes; the
/// answer is the rows as frames (proto/frame.h), and behind them one of a single byte.
int serve_inboxes(std::uint16_t port, const std::filesystem::path& data, std::uint16_t partitions);

}  // namespace holdfast::bench
