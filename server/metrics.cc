#include "server/metrics.h"

#include <sys/resource.h>

#include "server/gateway_metrics.h"

namespace holdfast {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void process_metrics(http::Metrics& metrics) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  metrics.counter("process_cpu_seconds_total", "Processor time of this process.",
                  seconds(usage.ru_utime) + seconds(usage.ru_stime));
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

}  // namespace

void collect_metrics(Engine& engine, const gateway::Admission& admission, http::Metrics& metrics) {
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
  metrics.gauge("password_queue", "Password hashes waiting.", static_cast<double>(figures.password_queue));
  metrics.gauge("disk_free_bytes", "Free on the data directory's file system.",
                static_cast<double>(engine.disk().free_bytes()));
  metrics.gauge("storage_full", "1 while writes are refused.", engine.disk().full() ? 1 : 0);
  database_metrics(figures.log, "log", metrics);
  database_metrics(figures.state, "state", metrics);
}

std::size_t open_partitions(Engine& engine) {
  std::size_t open = 0;
  for (const auto& worker : engine.workers()) open += worker->figures().open_partitions;
  return open;
}

}  // namespace holdfast
