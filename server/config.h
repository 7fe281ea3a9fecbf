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
#include "server/mail/mail_config.h"

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
  std::uint64_t log_keep_entries = 64;           ///< of each partition, kept at least
  std::uint64_t flush_bytes = 32 << 20;          ///< of entries: what a start replays at most, about a second's worth
  std::uint64_t lag_bytes_max = 64 << 20;        ///< of entries not yet in the state; beyond it writes wait
  bool allow_clock_jump = false;                 ///< start although the clock jumped more than a day
};

/// One of several nodes. Without a store the node is alone.
struct ClusterConfig {
  std::string store;                                   ///< etcd://host:port[,host:port…][/prefix]; empty: alone
  std::string store_ca, store_certificate, store_key;  ///< for etcds://
  std::string node_name;                               ///< empty: the host's name
  std::string zone;
  HostPort listen{"0.0.0.0", 7410};
  std::string peer_address;          ///< host:port that other nodes dial; empty: the host's address and the bound port
  std::string client_address;        ///< host:port that clients are told; empty: the same with the clients' port
  std::string ca, certificate, key;  ///< mutual TLS between nodes
  bool allow_plaintext = false;      ///< between nodes, without certificates
  std::uint32_t copies = 3;
  std::uint32_t min_in_sync = 2;
  std::uint64_t fill_bytes_per_s = 50'000'000;     ///< of copies that are sent to other nodes
  std::chrono::milliseconds member_slow{700};      ///< T_slow
  std::chrono::seconds replace_after{600};         ///< T_repl
  std::chrono::milliseconds flap_window{300'000};  ///< evicted twice within it: held back
  std::chrono::milliseconds flap_hold{30'000};     ///< at first; doubles
  bool accept_older_store = false;                 ///< believe a configuration store that is older than what was seen
};

/// Answers by mail, as a mail server hands them over.
struct LmtpConfig {
  std::optional<HostPort> listen;             ///< nothing: off
  std::string domain;                         ///< of the addresses that answers go to; empty: mails take no answers
  std::uint64_t message_bytes_max = 1 << 20;  ///< of one mail, with what it quotes and attaches
};

struct Config {
  std::string file;  ///< that it was read from; empty: defaults and flags only
  std::string data = "./data";
  HostPort listen{"0.0.0.0", 7400};
  HostPort http{"0.0.0.0", 7480};
  HostPort admin{"127.0.0.1", 7490};
  std::string trusted_proxies;    ///< as TrustedProxies::parse() takes them
  std::string base_url;           ///< of the users' pages, as users reach them; empty: the bound address
  std::uint32_t workers = 0;      ///< 0 in the file: one for each core; never 0 once parsed
  std::uint16_t partitions = 64;  ///< when a data directory is made; fixed from then on
  std::string tls_certificate;    ///< empty, both: made at the first start, in the data directory
  std::string tls_key;
  std::chrono::milliseconds drain_max{20'000};
  std::chrono::milliseconds drain_retry_after{1'000};  ///< the hint in Goodbye
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;

  ClusterConfig cluster;
  StorageConfig storage;
  PasswordConfig password;
  LmtpConfig lmtp;
  gateway::GatewayOptions gateway;
  chat::Limits limits;
  mail::MailConfig mail;
};

/// Wrong: settings that can't work, or would promise less than they seem to.
Status check_cluster(const ClusterConfig& cluster);

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
