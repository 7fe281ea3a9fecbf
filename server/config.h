/// The configuration: every key in one table, from which come the parsing of holdfast.toml and docs/configuration.md.
///
/// A key stands as `name = value` in its [section]; flags override the file. Unknown keys and bad values are errors
/// that name the key, the line and what is allowed; nothing is taken silently.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "net/listener.h"
#include "server/chat/limits.h"
#include "server/gateway/options.h"

namespace holdfast {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { automatic, text, json };  ///< automatic: text on a terminal, JSON otherwise

struct PasswordConfig {
  std::size_t memory_bytes = 19 << 20;  ///< Argon2id, for each hash
  std::uint32_t passes = 2;
  std::uint32_t threads = 1;    ///< hashes at the same time
  std::size_t queue_max = 256;  ///< waiting; beyond it: RETRY
};

struct StorageConfig {
  std::size_t cache_bytes = 256 << 20;           ///< RocksDB's block cache, over both databases
  std::size_t object_cache_bytes = 256 << 20;    ///< hot rows in memory, over all partitions
  std::uint64_t disk_reserve_bytes = 512 << 20;  ///< less free: writes are refused
  std::uint32_t readers = 2;                     ///< threads for reads that miss the cache
  std::uint64_t log_keep_entries = 64;        ///< of each partition, kept at least
  std::uint64_t lag_bytes_max = 64 << 20;        ///< of entries not yet in the state; beyond it writes wait
  bool allow_clock_jump = false;                 ///< start although the clock jumped more than a day
};

struct Config {
  std::string file;  ///< that it was read from; empty: defaults and flags only
  std::string data = "./data";
  HostPort listen{"0.0.0.0", 7400};
  HostPort http{"0.0.0.0", 7480};
  HostPort admin{"127.0.0.1", 7490};
  std::uint32_t workers = 0;      ///< 0 in the file: one for each core; never 0 once parsed
  std::uint16_t partitions = 64;  ///< when a data directory is made; fixed from then on
  std::string tls_certificate;    ///< empty, both: made at the first start, in the data directory
  std::string tls_key;
  std::chrono::milliseconds drain_max{20'000};
  std::chrono::milliseconds drain_retry_after{1'000};  ///< the hint in Goodbye
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;

  StorageConfig storage;
  PasswordConfig password;
  gateway::GatewayOptions gateway;
  chat::Limits limits;
};

/// A text of TOML. `name` stands in errors ("holdfast.toml:12: ...").
Result<Config> parse_config(std::string_view toml, const std::string& name);
/// docs/configuration.md, whole: every key with what it is, unit, default and bound.
std::string configuration_docs();

/// What to do instead of starting: print and exit.
struct Leave {
  int exit_code;
  std::string out;  ///< to standard output
  std::string err;  ///< to standard error
};

/// The command line and the file it names (without --config: ./holdfast.toml if there is one). --help, --version,
/// --check-config and --print-config-docs leave with 0, a mistake with 2.
std::variant<Config, Leave> parse_command_line(int argc, const char* const* argv);

}  // namespace holdfast
