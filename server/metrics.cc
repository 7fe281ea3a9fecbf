#include "server/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "server/gateway_metrics.h"

namespace holdfast {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// proc(5): the second number of statm is the resident pages. 0 where there is no /proc.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void process_metrics(http::Metrics& metrics) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  metrics.counter("process_cpu_seconds_total", "Processor time of this process.",
                  seconds(usage.ru_utime) + seconds(usage.ru_stime));
  metrics.gauge("process_resident_bytes", "Memory that is resident.", static_cast<double>(resident_bytes()));
  metrics.gauge("process_resident_bytes_max", "The most memory that was resident.",
                static_cast<double>(usage.ru_maxrss) * 1024);
}

void partition_metrics(const Worker::Figures& f, const http::Labels& worker, http::Metrics& metrics) {
  metrics.gauge("partitions_open", "Partitions that this worker leads and serves.",
                static_cast<double>(f.open_partitions), worker);
  metrics.counter("commands_total", "Commands of clients and subscribers.", static_cast<double>(f.partitions.commands),
                  worker);
  metrics.counter("entries_total", "Log entries they were decided into.", static_cast<double>(f.partitions.entries),
                  worker);
  metrics.counter("commands_refused_total", "Refused because a queue or the disk was full.",
                  static_cast<double>(f.partitions.refused), worker);
  metrics.counter("loads_total", "Rows and ranges that were not in memory.", static_cast<double>(f.partitions.loads),
                  worker);
  metrics.gauge("commands_waiting", "Not decided yet.", static_cast<double>(f.partitions.waiting), worker);
  metrics.gauge("row_cache_bytes", "Rows in memory.", static_cast<double>(f.partitions.cached_bytes), worker);
  metrics.counter("turns_total", "Turns of the worker's loop.", static_cast<double>(f.turns), worker);
}

void database_metrics(const DatabaseFigures& f, const char* name, http::Metrics& metrics) {
  const http::Labels database{{"database", name}};
  const auto written = [&](const char* what, std::uint64_t bytes) {
    metrics.counter("disk_written_bytes_total", "Bytes written by the databases.", static_cast<double>(bytes),
                    {{"database", name}, {"what", what}});
  };
  written("log", f.wal_bytes);
  written("flush", f.flush_bytes);
  written("compaction", f.compaction_bytes);
  metrics.gauge("database_files_bytes", "Live files of the databases.", static_cast<double>(f.files_bytes), database);
  metrics.gauge("database_memtable_bytes", "Memtables of the databases.", static_cast<double>(f.memtable_bytes),
                database);
  metrics.gauge("database_block_cache_bytes", "Block caches of the databases.",
                static_cast<double>(f.block_cache_bytes), database);
}

void link_metrics(const failover::PeerFigures& peer, http::Metrics& metrics) {
  const http::Labels node{{"peer", std::to_string(peer.node.value)}};
  metrics.gauge("peer_link_up", "1 while our connection to that node stands.", peer.up ? 1 : 0, node);
  metrics.counter("peer_sent_bytes_total", "Bytes to that node.", static_cast<double>(peer.bytes_out), node);
  metrics.counter("peer_received_bytes_total", "Bytes from that node.", static_cast<double>(peer.bytes_in), node);
  metrics.counter("peer_frames_dropped_total", "Frames for that node that were lost for want of a link.",
                  static_cast<double>(peer.dropped), node);
  metrics.counter("peer_link_losses_total", "Times that a standing link was lost.", static_cast<double>(peer.losses),
                  node);
  metrics.gauge("peer_queued_bytes", "Waiting to be sent to that node.", static_cast<double>(peer.queued_bytes), node);
}

void cluster_metrics(Engine& engine, http::Metrics& metrics) {
  std::map<failover::Role, std::size_t> roles;
  std::size_t asks = 0;
  std::uint64_t asked_again = 0;
  for (const auto& worker : engine.workers()) {
    const Worker::Figures figures = worker->figures();
    for (const auto& [role, count] : figures.roles) roles[role] += count;
    asks += figures.asks;
    asked_again += figures.asked_again;
  }
  using failover::Role;
  for (const Role role : {Role::primary, Role::candidate, Role::backup, Role::quarantined})
    metrics.gauge("partitions", "This node's copies, by role.", static_cast<double>(roles[role]),
                  {{"role", failover::name_of(role)}});
  if (engine.cluster() == nullptr) return;
  const Cluster::Figures cluster = engine.cluster()->figures();
  metrics.gauge("registered", "1 while this node's row stands in the configuration store.", cluster.registered ? 1 : 0);
  metrics.gauge("coordinates", "1 on the node that watches over the others.", cluster.coordinates ? 1 : 0);
  metrics.counter("promotions_total", "Partitions that this node saw get a new primary because theirs died.",
                  static_cast<double>(cluster.promotions));
  for (const auto& [size, count] : cluster.in_sync)
    metrics.gauge("in_sync_partitions", "Partitions by the size of their in-sync set.", static_cast<double>(count),
                  {{"copies", std::to_string(size)}});
  metrics.gauge("asks_outstanding", "Commands on their way to primaries, here and elsewhere.",
                static_cast<double>(asks));
  metrics.counter("asked_again_total", "Commands asked once more since their primary moved, died or was out of reach.",
                  static_cast<double>(asked_again));
  for (const auto& peer : cluster.links.peers) link_metrics(peer, metrics);
  metrics.counter("peer_refused_total", "Connections of nodes that came to nothing: certificate, cluster or clock.",
                  static_cast<double>(cluster.links.refused));
}

void mail_metrics(const mail::MailerFigures& mails, http::Metrics& metrics) {
  const char* what = "Mails that were handed over: to a relay or the outbox (sent), not now (later), not ever (never).";
  metrics.counter("mails_total", what, static_cast<double>(mails.sent), {{"outcome", "sent"}});
  metrics.counter("mails_total", what, static_cast<double>(mails.later), {{"outcome", "later"}});
  metrics.counter("mails_total", what, static_cast<double>(mails.never), {{"outcome", "never"}});
  metrics.gauge("mails_queued", "Mails waiting for a connection to a relay, and those on their way.",
                static_cast<double>(mails.queued));
}

}  // namespace

void collect_metrics(Engine& engine, const gateway::Admission& admission, const mail::MailerFigures& mails,
                     http::Metrics& metrics) {
  process_metrics(metrics);
  metrics.gauge("connections_max", "Connections that are admitted at once.",
                static_cast<double>(admission.connections_max()));
  std::vector<gateway::GatewayFigures> gateways;
  for (std::size_t i = 0; i < engine.workers().size(); ++i) {
    const http::Labels worker{{"worker", std::to_string(i)}};
    const Worker::Figures figures = engine.workers()[i]->figures();
    gateways.push_back(figures.gateway);
    partition_metrics(figures, worker, metrics);
  }
  add_gateway_metrics(metrics, gateways);
  cluster_metrics(engine, metrics);
  const Engine::Figures figures = engine.figures();
  metrics.counter("commits_total", "Group commits of the log: one write and one sync each.",
                  static_cast<double>(figures.commits.commits));
  metrics.counter("committed_entries_total", "Entries in them.", static_cast<double>(figures.commits.entries));
  metrics.counter("committed_bytes_total", "Bytes in them.", static_cast<double>(figures.commits.bytes));
  metrics.counter("commit_seconds_total", "Time spent in them.",
                  static_cast<double>(figures.commits.sync_ns_total) / 1e9);
  metrics.gauge("state_lag_bytes", "Committed and not yet in the state database.",
                static_cast<double>(figures.applied.lag_bytes));
  metrics.counter("state_rows_asked_total", "Row writes that entries asked for.",
                  static_cast<double>(figures.applied.writes));
  metrics.counter("state_rows_written_total", "Row writes left of them after coalescing.",
                  static_cast<double>(figures.applied.rows_written));
  metrics.gauge("password_queue", "Password hashes waiting.", static_cast<double>(figures.passwords.queued));
  metrics.gauge("password_queue_max", "How many may wait; further log-ins are told RETRY.",
                static_cast<double>(figures.passwords.queued_max));
  metrics.counter("password_queue_refused_total", "Log-ins that were told so.",
                  static_cast<double>(figures.passwords.refused));
  metrics.gauge("disk_free_bytes", "Free on the data directory's file system.",
                static_cast<double>(engine.disk().free_bytes()));
  metrics.gauge("storage_full", "1 while writes are refused.", engine.disk().full() ? 1 : 0);
  database_metrics(figures.log, "log", metrics);
  database_metrics(figures.state, "state", metrics);
  mail_metrics(mails, metrics);
}

std::size_t open_partitions(Engine& engine) {
  std::size_t open = 0;
  for (const auto& worker : engine.workers()) open += worker->figures().open_partitions;
  return open;
}

}  // namespace holdfast
