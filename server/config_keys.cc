#include "server/config_keys.h"

#include <limits>
#include <type_traits>

namespace holdfast {
namespace {

Error not_allowed() { return {Errc::invalid_argument, ""}; }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// `field` gives the member of a Config. It works on const and mutable ones: hence templates and no pointers, for
/// members lie nested.
template <class Field>
ConfigKey integer(std::string section, std::string name, std::int64_t least, std::int64_t most, std::string doc,
                  Field field) {
  return {std::move(section),
          std::move(name),
          std::to_string(least) + " to " + std::to_string(most),
          std::move(doc),
          [field](const Config& config) { return std::to_string(field(config)); },
          [field, least, most](Config& config, const ConfigValue& value) -> Status {
            const auto* number = std::get_if<std::int64_t>(&value);
            if (!number || *number < least || *number > most) return not_allowed();
            auto& target = field(config);
            target = static_cast<std::remove_reference_t<decltype(target)>>(*number);
            return Ok{};
          }};
}

/// A duration, written as a whole number of its unit; the key's name says which.
template <class Unit, class Field>
ConfigKey duration(std::string section, std::string name, std::int64_t least, std::int64_t most, std::string doc,
                   Field field) {
  return {
      std::move(section),
      std::move(name),
      std::to_string(least) + " to " + std::to_string(most),
      std::move(doc),
      [field](const Config& config) { return std::to_string(std::chrono::duration_cast<Unit>(field(config)).count()); },
      [field, least, most](Config& config, const ConfigValue& value) -> Status {
        const auto* number = std::get_if<std::int64_t>(&value);
        if (!number || *number < least || *number > most) return not_allowed();
        field(config) = std::chrono::duration_cast<std::remove_reference_t<decltype(field(config))>>(Unit(*number));
        return Ok{};
      }};
}

template <class Field>
ConfigKey boolean(std::string section, std::string name, std::string doc, Field field) {
  return {std::move(section),
          std::move(name),
          "true or false",
          std::move(doc),
          [field](const Config& config) -> std::string { return field(config) ? "true" : "false"; },
          [field](Config& config, const ConfigValue& value) -> Status {
            const auto* truth = std::get_if<bool>(&value);
            if (!truth) return not_allowed();
            field(config) = *truth;
            return Ok{};
          }};
}

template <class Field>
ConfigKey text(std::string section, std::string name, std::string allowed, std::string doc, Field field) {
  return {std::move(section),
          std::move(name),
          std::move(allowed),
          std::move(doc),
          [field](const Config& config) { return quoted(field(config)); },
          [field](Config& config, const ConfigValue& value) -> Status {
            const auto* string = std::get_if<std::string>(&value);
            if (!string) return not_allowed();
            field(config) = *string;
            return Ok{};
          }};
}

template <class Field>
ConfigKey address(std::string section, std::string name, std::string doc, Field field) {
  return {std::move(section),
          std::move(name),
          "\"HOST:PORT\" or \"[V6]:PORT\", with an address of this machine",
          std::move(doc),
          [field](const Config& config) { return quoted(field(config).str()); },
          [field](Config& config, const ConfigValue& value) -> Status {
            const auto* string = std::get_if<std::string>(&value);
            if (!string) return not_allowed();
            auto where = parse_host_port(*string);
            if (!where) return not_allowed();
            field(config) = std::move(*where);
            return Ok{};
          }};
}

/// An address, or nothing at all.
template <class Field>
ConfigKey optional_address(std::string section, std::string name, std::string doc, Field field) {
  return {std::move(section),
          std::move(name),
          "\"HOST:PORT\" or \"[V6]:PORT\", with an address of this machine, or empty",
          std::move(doc),
          [field](const Config& config) { return quoted(field(config) ? field(config)->str() : ""); },
          [field](Config& config, const ConfigValue& value) -> Status {
            const auto* string = std::get_if<std::string>(&value);
            if (!string) return not_allowed();
            if (string->empty()) {
              field(config).reset();
              return Ok{};
            }
            auto where = parse_host_port(*string);
            if (!where) return not_allowed();
            field(config) = std::move(*where);
            return Ok{};
          }};
}

template <class Enum>
struct Choice {
  const char* name;
  Enum value;
};

template <class Enum, class Field>
ConfigKey choice(std::string section, std::string name, std::vector<Choice<Enum>> choices, std::string doc,
                 Field field) {
  std::string allowed;
  for (const auto& one : choices) allowed += (allowed.empty() ? "\"" : ", \"") + std::string(one.name) + "\"";
  return {std::move(section),
          std::move(name),
          allowed,
          std::move(doc),
          [field, choices](const Config& config) {
            for (const auto& one : choices)
              if (one.value == field(config)) return quoted(one.name);
            return quoted("");
          },
          [field, choices](Config& config, const ConfigValue& value) -> Status {
            const auto* string = std::get_if<std::string>(&value);
            for (const auto& one : choices) {
              if (!string || *string != one.name) continue;
              field(config) = one.value;
              return Ok{};
            }
            return not_allowed();
          }};
}

/// A member for `field` above: FIELD(storage.cache_bytes).
#define FIELD(member) [](auto& config) -> auto& { return config.member; }

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;
constexpr std::int64_t kMany = 1'000'000'000;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

using Keys = std::vector<ConfigKey>;

void add(Keys& all, Keys some) {
  for (auto& key : some) all.push_back(std::move(key));
}

Keys general_keys() {
  return {
      text("", "data", "a path", "The data directory; made if it is not there. A flag: `--data`.", FIELD(data)),
      address("", "listen",
              "Where clients connect: native frames and WebSocket, TLS and plain, on one port. Plain text is refused "
              "unless the client comes from this machine. A flag: `--listen`.",
              FIELD(listen)),
      address("", "http", "The public HTTP listener: pages that users see, with and without TLS. A flag: `--http`.",
              FIELD(http)),
      text("", "base_url", "https://host[:port][/path], or empty",
           "Where users reach these pages: what links in mails begin with, and whence forms are taken. Never guessed "
           "from a "
           "request. Empty: `http://` and the listener's address, which is good for one machine.",
           FIELD(base_url)),
      text(
          "", "trusted_proxies", "addresses and networks with commas between, or empty",
          "Reverse proxies before the pages and before WebSocket: whom they name in `X-Forwarded-For` is who came, for "
          "the bounds on one address, for guessed passwords and for the audit journal. From anybody else the header "
          "counts for nothing.",
          FIELD(trusted_proxies)),
      address("", "admin",
              "The operators' HTTP listener: `/healthz`, `/readyz`, `/metrics`, `/admin`. Looking asks for no password "
              "(changing "
              "asks for the operators' key): keep it on loopback or in a private network. A flag: `--admin`.",
              FIELD(admin)),
      integer("", "workers", 0, 256,
              "Threads that serve clients and partitions; 0: one for each core. A flag: `--workers`.", FIELD(workers)),
      integer(
          "", "partitions", 1, 1'024,
          "Into how many partitions the state is cut, when a data directory or a cluster is made. Fixed for its life: "
          "another number is refused then.",
          FIELD(partitions)),
  };
}

Keys tls_keys() {
  return {
      text(
          "tls", "certificate", "a path, or empty",
          "The certificate chain, PEM, own certificate first. Empty: one that signs itself is made at the first start, "
          "in the data directory.",
          FIELD(tls_certificate)),
      text("tls", "key", "a path, or empty", "The private key, PEM. Empty exactly if `certificate` is.",
           FIELD(tls_key)),
  };
}

Keys log_keys() {
  return {
      choice<LogLevel>("log", "level",
                       {{"debug", LogLevel::debug},
                        {"info", LogLevel::info},
                        {"warning", LogLevel::warning},
                        {"error", LogLevel::error}},
                       "The least severe lines that are written.", FIELD(log_level)),
      choice<LogFormat>(
          "log", "format", {{"auto", LogFormat::automatic}, {"text", LogFormat::text}, {"json", LogFormat::json}},
          "One line an event, to standard error. `auto`: text on a terminal, JSON otherwise.", FIELD(log_format)),
  };
}

Keys client_keys() {
  return {
      boolean("clients", "allow_plaintext", "Serve plain text to other machines, too: for networks that are private.",
              FIELD(gateway.allow_plaintext)),
      integer("clients", "connections_max", 0, 10'000'000,
              "Open connections; beyond it clients are told RETRY and closed. 0: what the limit of open files allows, "
              "less what the server itself needs, and no more than fit into half of the memory with 24 KiB each.",
              FIELD(gateway.connections_max)),
      duration<milliseconds>(
          "clients", "accept_wait_max_ms", 10, 60'000,
          "Of a crowd that comes at once, who would wait longer than this to be accepted, by what the ones before "
          "took lately, is told RETRY and when there will be room, before anything is allocated. Clients give a try up "
          "after a second; work for those who have gone is done for nobody.",
          FIELD(gateway.accept_wait_max)),
      integer("clients", "handshakes_waiting_max", 1, 1'000'000,
              "TLS handshakes that wait for their turn on one worker, with their client's first message there whole. "
              "Who comes when so many wait is closed before it costs anything. Who waits to be accepted "
              "(`accept_wait_max_ms`) is not among them, so this is reached by those alone who begin slowly.",
              FIELD(gateway.handshakes_waiting_max)),
      duration<seconds>("clients", "handshake_max_s", 1, 300, "From accept to the client's Hello; later: closed.",
                        FIELD(gateway.session.hello_max)),
      duration<seconds>("clients", "login_max_s", 1, 3'600, "From accept to a log-in or resume; later: closed.",
                        FIELD(gateway.session.login_max)),
      duration<seconds>("clients", "keepalive_s", 5, 3'600,
                        "How often an idle client has to send something; silent for twice of it: closed.",
                        FIELD(gateway.session.keepalive)),
      duration<seconds>("clients", "write_stall_max_s", 1, 3'600,
                        "A client that takes nothing of what is written to it for this long is dropped. Its session "
                        "stays and can be resumed.",
                        FIELD(gateway.write_stall_max)),
      integer("clients", "requests_max", 16, 65'536,
              "Requests under way on one connection, pages of history counting as 64; beyond it the server reads no "
              "further until some are answered.",
              FIELD(gateway.session.requests_max)),
      integer("clients", "output_bytes_max", 64 << 10, 64 * kMiB,
              "Answers waiting for the client to read; beyond it the server reads no further from that client.",
              FIELD(gateway.session.output_bytes_max)),
      integer(
          "clients", "inbox_credit_bytes", 192 << 10, 64 * kMiB,
          "Deliveries under way to a connection; beyond it the client is behind, and goes on from its inbox when it "
          "has read.",
          FIELD(gateway.session.inbox_credit_bytes)),
      duration<seconds>("clients", "drain_max_s", 1, 600,
                        "How long a stop waits for requests under way before it closes hard.", FIELD(drain_max)),
      duration<milliseconds>("clients", "drain_retry_after_ms", 0, 600'000,
                             "After which time clients are told to come back when the server stops.",
                             FIELD(drain_retry_after)),
  };
}

Keys rate_keys() {
  return {
      integer("rates", "connection_frames_per_s", 1, kMany,
              "Frames on one connection; one second's worth may come at once.",
              FIELD(gateway.session.connection.frames_per_s)),
      integer("rates", "connection_bytes_per_s", 128 << 10, 100 * kGiB, "Bytes of frames on one connection.",
              FIELD(gateway.session.connection.bytes_per_s)),
      integer("rates", "connection_requests_per_s", 1, kMany, "Requests (all but pings) on one connection.",
              FIELD(gateway.session.connection.requests_per_s)),
      integer("rates", "user_frames_per_s", 1, kMany, "Frames of one user on all connections to this server.",
              FIELD(gateway.user.frames_per_s)),
      integer("rates", "user_bytes_per_s", 128 << 10, 100 * kGiB, "Bytes of frames of one user.",
              FIELD(gateway.user.bytes_per_s)),
      integer("rates", "user_requests_per_s", 1, kMany, "Requests of one user.", FIELD(gateway.user.requests_per_s)),
  };
}

Keys password_keys() {
  return {
      integer("passwords", "memory_bytes", 8 * kMiB, 4 * kGiB, "Memory of Argon2id, for each hash under way.",
              FIELD(password.memory_bytes)),
      integer("passwords", "passes", 1, 100, "Passes of Argon2id.", FIELD(password.passes)),
      integer("passwords", "concurrency", 1, 256, "Hashes at the same time, each on a thread of its own.",
              FIELD(password.threads)),
      integer("passwords", "queue_max", 1, 100'000, "Log-ins waiting for a hash; beyond it clients are told RETRY.",
              FIELD(password.queue_max)),
      integer("passwords", "failures_free", 1, 100,
              "Wrong passwords before each further one has to wait, a second first and then twice as long each time.",
              FIELD(limits.login_failures_free)),
      integer("passwords", "failures_lock", 2, 1'000, "Wrong passwords that lock log-in with the password for a while.",
              FIELD(limits.login_failures_lock)),
      duration<minutes>("passwords", "lock_min", 1, 1'440, "That while, in minutes.", FIELD(limits.login_lock)),
      boolean("passwords", "owner_mails",
              "Whether the owner of an account is mailed what happened to it: another password or address, a locked "
              "log-in, a stolen session. For users with a verified address.",
              FIELD(limits.owner_mails_enabled)),
      boolean("passwords", "resets",
              "Whether a password can be reset by a mailed link. Off: by an operator's one-time code only, and links "
              "that are out are not taken.",
              FIELD(limits.resets_enabled)),
      duration<minutes>("passwords", "reset_lifetime_min", 5, 120,
                        "A mailed link that sets a new password is good so long.", FIELD(limits.reset_lifetime)),
      integer(
          "passwords", "resets_an_hour", 1, 100,
          "Such links that anybody who knows a name or an address can have mailed, for an account and for an address.",
          FIELD(limits.resets_asked_max)),
      duration<hours>("passwords", "recovery_lifetime_h", 1, 168, "A one-time code of an operator's is good so long.",
                      FIELD(limits.recovery_lifetime)),
      duration<hours>("passwords", "verification_lifetime_h", 1, 168,
                      "A mailed link that verifies an address is good so long.", FIELD(limits.verification_lifetime)),
      integer(
          "passwords", "strangers_per_s", 1, 100'000,
          "Requests for such links, and uses of codes, that a node takes from those who are not logged in; beyond it "
          "they are told to come again.",
          FIELD(limits.strangers_per_s)),
  };
}

Keys lmtp_keys() {
  return {
      optional_address("lmtp", "listen",
                       "Where the mail server hands over answers (RFC 2033). Empty: nobody can answer by mail. Without "
                       "TLS, and who reaches it needs no password: keep it on loopback or in a private network.",
                       FIELD(lmtp.listen)),
      text("lmtp", "domain", "a domain, or empty",
           "The domain of the addresses that answers go to; the same on all nodes. Empty: mails take no answers.",
           FIELD(lmtp.domain)),
      integer("lmtp", "message_bytes_max", 64 << 10, 64 * kMiB,
              "A mail with what it quotes and attaches; a larger one is refused. What is posted of it is bounded by "
              "`limits.body_bytes_max`.",
              FIELD(lmtp.message_bytes_max)),
  };
}

Keys storage_keys() {
  return {
      integer("storage", "cache_bytes", 8 * kMiB, 1'024 * kGiB, "RocksDB's block cache.", FIELD(storage.cache_bytes)),
      integer("storage", "object_cache_bytes", 8 * kMiB, 1'024 * kGiB, "Rows kept in memory for the rules of chat.",
              FIELD(storage.object_cache_bytes)),
      integer("storage", "disk_reserve_bytes", 0, 1'024 * kGiB,
              "With less than this free on the disk writes are refused (STORAGE_FULL) and reads go on.",
              FIELD(storage.disk_reserve_bytes)),
      integer("storage", "readers", 1, 64, "Threads that read what is not in memory.", FIELD(storage.readers)),
      integer("storage", "log_keep_entries", 0, 1'000'000, "Entries of each partition that trimming leaves.",
              FIELD(storage.log_keep_entries)),
      integer("storage", "flush_bytes", 64 << 10, 16 * kGiB,
              "Entries between two flushes of the state: what a start replays at most. The log is trimmed then.",
              FIELD(storage.flush_bytes)),
      integer("storage", "lag_bytes_max", kMiB, 16 * kGiB,
              "Entries that the log has and the state has not yet; beyond it writes wait.",
              FIELD(storage.lag_bytes_max)),
      boolean("storage", "allow_clock_jump",
              "Start although the clock stands more than a day from the newest entry. For one start: "
              "`--allow-clock-jump`.",
              FIELD(storage.allow_clock_jump)),
  };
}

Keys limit_keys() {
  return {
      integer(
          "limits", "due_per_s", 10, 100'000,
          "Timers that a node runs a second: mails that become due (two each), secrets whose time is over. Much that "
          "is due at once waits, so that nobody in chat does.",
          FIELD(limits.due_per_s)),
      integer("limits", "body_bytes_max", 1, 64 << 10, "A message's body.", FIELD(limits.body_bytes_max)),
      integer("limits", "group_members_max", 2, 100'000, "Members of a group.", FIELD(limits.group_members_max)),
      integer("limits", "group_admins_max", 1, 10'000, "Admins of a group.", FIELD(limits.group_admins_max)),
      integer("limits", "large_group_above", 10, 100'000,
              "Groups with more members deliver marks instead of changes; back at nine tenths.",
              FIELD(limits.large_group_above)),
      integer("limits", "inbox_rows_max", 1'000, 100'000'000, "Rows kept in an inbox; older ones go.",
              FIELD(limits.inbox_rows_max)),
      duration<Days>("limits", "inbox_age_max_days", 1, 3'650, "Age of rows kept in an inbox.",
                     FIELD(limits.inbox_age_max)),
      integer("limits", "devices_of_a_user_max", 1, 10'000, "Sessions of a user; one more ends the longest unused.",
              FIELD(limits.sessions_of_a_user_max)),
      integer("limits", "blocks_max", 0, 100'000, "Users that one user may block.", FIELD(limits.blocks_max)),
      integer("limits", "reactions_of_a_post_max", 1, 100'000, "Reactions to one post.",
              FIELD(limits.reactions_of_a_post_max)),
      integer("limits", "edits_of_a_post_max", 0, 100'000, "Edits of one post.", FIELD(limits.edits_of_a_post_max)),
      integer("limits", "history_page_max", 1, 500, "Changes in a page of history.", FIELD(limits.history_page_max)),
      integer("limits", "list_page_max", 1, 200, "Conversations in a page of the list.", FIELD(limits.list_page_max)),
      integer("limits", "members_page_max", 1, 1'000, "Members in a page.", FIELD(limits.members_page_max)),
      duration<Days>("limits", "session_unused_max_days", 1, 3'650, "A session unused for this long ends.",
                     FIELD(limits.session_unused_max)),
      duration<hours>("limits", "token_age_max_h", 1, 8'760, "A live session's token is replaced when it is older.",
                      FIELD(limits.token_age_max)),
  };
}

Keys incident_keys() {
  return {
      boolean("incident", "enabled",
              "Whether there are incidents, declared or by themselves. Off: one that is open can only be stopped.",
              FIELD(limits.incidents_enabled)),
      duration<seconds>("incident", "resume_bound_s", 1, 86'400,
                        "Clients of a node that died come back within it; whose devices don't, they are affected.",
                        FIELD(limits.incident_resume_bound)),
      duration<seconds>("incident", "mail_delay_s", 1, 604'800,
                        "How long a message may wait before it is mailed, while there is an incident: to those who are "
                        "affected, or to all if an operator has declared it.",
                        FIELD(limits.incident_mail_delay)),
      duration<minutes>("incident", "ends_after_min", 1, 10'080,
                        "An incident that opened by itself ends after so many minutes, unless an operator has said "
                        "something about it.",
                        FIELD(limits.incident_ends_after)),
  };
}

Keys audit_keys() {
  return {
      boolean("audit", "enabled",
              "Whether the journal is kept. Off: nothing is added; what it has stays until its time is over.",
              FIELD(limits.audit_enabled)),
      duration<Days>("audit", "keep_days", 1, 36'500, "Lines of the audit journal are kept for so long.",
                     FIELD(limits.audit_keep)),
      choice<chat::AuditAddresses>("audit", "addresses",
                                   {{"full", chat::AuditAddresses::full},
                                    {"network", chat::AuditAddresses::network},
                                    {"none", chat::AuditAddresses::none}},
                                   "How exactly lines say where somebody came from: the address, its network (the "
                                   "first 24 bits of IPv4, the first 48 of IPv6), or nothing.",
                                   FIELD(limits.audit_addresses)),
  };
}

Keys cluster_keys() {
  return {
      text("cluster", "store", "etcd[s]://[user:password@]host:port[,host:port...][/prefix], or empty",
           "Where the cluster's configuration is: an etcd cluster; `etcds://` over TLS. User and password may be "
           "percent-encoded; with a password in it the file deserves mode 0600. Empty: this node is alone. A flag: "
           "`--join`.",
           FIELD(cluster.store)),
      text("cluster", "store_ca", "a path, or empty", "Whom to believe at `etcds://`, PEM.", FIELD(cluster.store_ca)),
      text("cluster", "store_certificate", "a path, or empty", "Our certificate there, PEM.",
           FIELD(cluster.store_certificate)),
      text("cluster", "store_key", "a path, or empty", "Its key, PEM.", FIELD(cluster.store_key)),
      text("cluster", "node_name", "a name, or empty",
           "What this node is called; kept by a node that comes back with an empty disk. Empty: the host's name. A "
           "flag: "
           "`--node-name`.",
           FIELD(cluster.node_name)),
      text("cluster", "zone", "a name, or empty", "Copies of a partition are spread over zones.", FIELD(cluster.zone)),
      address("cluster", "listen", "Where other nodes connect. A flag: `--peer-listen`.", FIELD(cluster.listen)),
      text("cluster", "peer_address", "host:port, or empty",
           "What other nodes dial. Empty: the address that `listen` is bound to, or the host's name.",
           FIELD(cluster.peer_address)),
      text("cluster", "client_address", "host:port, or empty", "What clients are told. Empty: likewise.",
           FIELD(cluster.client_address)),
      text("cluster", "ca", "a path, or empty",
           "The cluster's own authority, PEM: nodes believe whom it signed (`holdfastctl certs`).", FIELD(cluster.ca)),
      text("cluster", "certificate", "a path, or empty", "This node's certificate, PEM.", FIELD(cluster.certificate)),
      text("cluster", "key", "a path, or empty", "Its key, PEM.", FIELD(cluster.key)),
      boolean("cluster", "allow_plaintext",
              "Speak with other nodes without TLS: for tests, and networks that are private.",
              FIELD(cluster.allow_plaintext)),
      integer("cluster", "copies", 1, 7, "Of each partition, once there are so many nodes.", FIELD(cluster.copies)),
      integer("cluster", "min_in_sync", 1, 7,
              "Copies that must have an entry before it counts, once there are more nodes than that.",
              FIELD(cluster.min_in_sync)),
      integer("cluster", "fill_bytes_per_s", kMiB, 16 * kGiB,
              "How fast this node sends copies to nodes that were away for longer than the log reaches back.",
              FIELD(cluster.fill_bytes_per_s)),
      duration<milliseconds>("cluster", "member_slow_ms", 100, 60'000,
                             "A copy that makes no progress for so long leaves the in-sync set.",
                             FIELD(cluster.member_slow)),
      duration<seconds>("cluster", "replace_after_s", 1, 86'400,
                        "A node that is down for so long loses its copies to others.", FIELD(cluster.replace_after)),
      duration<milliseconds>("cluster", "flap_window_ms", 0, 3'600'000,
                             "A node that dies twice within this is held back.", FIELD(cluster.flap_window)),
      duration<milliseconds>("cluster", "flap_hold_ms", 0, 3'600'000,
                             "For so long, at first; it doubles with each further time.", FIELD(cluster.flap_hold)),
      boolean(
          "cluster", "accept_older_store",
          "Start on a configuration store that is older than what this node has seen of it. Only if no newer copy of "
          "it is left, and for one start: docs/operations.md.",
          FIELD(cluster.accept_older_store)),
  };
}

Keys mail_keys() {
  return {
      text("mail", "relays",
           "smtp[+starttls]://[user:password@]host[:port] or smtps://..., several with commas, or empty",
           "Mail servers that take our mails, tried in this order. `smtp+starttls://` (port 587) and `smtps://` (465) "
           "want a certificate that is believed; `smtp://` (25) is plain text. User and password may be "
           "percent-encoded; "
           "with a password in it the file deserves mode 0600. Empty: mails become files in `outbox/` of the data "
           "directory.",
           FIELD(mail.relays)),
      text("mail", "ca", "a path, or empty", "Whom to believe at relays, PEM. Empty: whom the system believes.",
           FIELD(mail.ca)),
      text("mail", "from", "an address, or empty",
           "The address that mails come from, and to which a mail that can't be delivered returns. It must be set if "
           "there "
           "is a relay. Empty: `holdfast@localhost`.",
           FIELD(mail.from)),
      text("mail", "from_name", "a name of at most 100 bytes", "What users know the service as.",
           FIELD(mail.from_name)),
      text("mail", "domain", "a domain, or empty",
           "The domain of Message-IDs, and what this server calls itself at relays; the same on all nodes. Empty: that "
           "of "
           "`from`.",
           FIELD(mail.domain)),
      text("mail", "templates", "a path, or empty",
           "A folder whose files replace the built-in templates one by one: server/mail/templates/README.md.",
           FIELD(mail.templates)),
      text("mail", "language", "a tag like en or de-AT", "For users who have not chosen one.", FIELD(mail.language)),
      integer("mail", "connections", 1, 64, "Connections to relays at the same time.", FIELD(mail.connections)),
      integer("mail", "queue_max", 1, 100'000,
              "Mails that wait in memory for a connection; what is beyond it waits in the log.", FIELD(mail.queue_max)),
      duration<seconds>("mail", "timeout_s", 1, 600, "For one mail at one relay.", FIELD(mail.timeout)),
      integer("mail", "outbox_files_max", 1, 1'000'000, "Mails kept in `outbox/`; the oldest go.",
              FIELD(mail.outbox_files_max)),
      integer("mail", "outbox_bytes_max", kMiB, 1'024 * kGiB, "Bytes of mails kept there.",
              FIELD(mail.outbox_bytes_max)),
  };
}

Keys fallback_keys() {
  using Mode = chat::FallbackLimits::Mode;
  return {
      boolean("fallback", "enabled", "Whether it is done at all.", FIELD(limits.fallback.enabled)),
      choice<Mode>("fallback", "mode", {{"off", Mode::off}, {"notice", Mode::notice}, {"content", Mode::content}},
                   "For users who have not chosen: no mail, a notice of whose messages wait, or the messages.",
                   FIELD(limits.fallback.mode)),
      duration<seconds>("fallback", "delay_s", 1, 604'800,
                        "For users who have not chosen: how long a message waits for a device that acknowledges it.",
                        FIELD(limits.fallback.delay)),
      integer("fallback", "per_day", 1, 10'000, "Mails to one user on one day (UTC); more waits for the next one.",
              FIELD(limits.fallback.mails_of_a_day_max)),
      duration<hours>("fallback", "reply_good_for_h", 1, 8'760, "How long an answer to such a mail is taken.",
                      FIELD(limits.fallback.reply_good_for)),
  };
}

Keys make_keys() {
  Keys all = general_keys();
  for (auto* section : {tls_keys, log_keys, client_keys, rate_keys, password_keys, lmtp_keys, cluster_keys,
                        storage_keys, incident_keys, audit_keys, limit_keys, mail_keys, fallback_keys}) {
    add(all, section());
  }
  return all;
}

}  // namespace

const std::vector<ConfigSection>& config_sections() {
  static const std::vector<ConfigSection> sections = {
      {"", "General"},
      {"tls", "The certificate of the client and the public port. Only TLS 1.3 is spoken."},
      {"log", "What is written down while it runs."},
      {"clients", "Connections of clients: how many, how long, how much."},
      {"rates", "How fast clients may go; who is faster is answered RATE_LIMITED with a time to wait."},
      {"passwords", "What a password costs, and how often one may be tried."},
      {"lmtp", "Answers by mail; docs/services.md says how a mail server is set up for it."},
      {"cluster", "One of several nodes."},
      {"storage", "Memory and disk."},
      {"incident", "When something is wrong with the service as a whole."},
      {"audit", "The audit journal: what happened to accounts and to the cluster."},
      {"limits", "Bounds of chat; what is beyond one is answered TOO_LARGE."},
      {"mail", "Mails to users: docs/services.md."},
      {"fallback", "Messages that reach no device are mailed, to users with a verified address."},
  };
  return sections;
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

const ConfigKey* find_config_key(std::string_view section, std::string_view name) {
  for (const auto& key : config_keys()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

}  // namespace holdfast
