// holdfast-bench: what ./dev bench runs. See options.cc for its help; docs/measurements.md has its figures.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/start.h"
#include "proto/client.pb.h"
#include "tests/bench/options.h"
#include "tests/bench/report.h"

using namespace holdfast;
using namespace holdfast::bench;

namespace {

constexpr std::size_t kBodyBytes = 100;
constexpr std::size_t kRecordedBytes = 48u << 20;

void say(const char* what) { std::fprintf(stderr, "%s\n", what); }

std::string text(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", number);
  return buffer;
}

/// A message as it comes from a client.
std::size_t post_frame_bytes() {
  v1::ClientFrame frame;
  frame.set_request_id(1'000);
  frame.mutable_post()->set_conversation_id(std::string(16, 'c'));
  frame.mutable_post()->set_client_message_id(std::string(16, 'm'));
  frame.mutable_post()->set_body(std::string(kBodyBytes, 'b'));
  return 4 + frame.ByteSizeLong();
}

double sample(const Samples& samples, const std::string& name) {
  const auto at = samples.find("holdfast_" + name);
  return at == samples.end() ? 0 : at->second;
}
double written(const Samples& samples, const char* database, const char* what) {
  return sample(samples, std::string("disk_written_bytes_total{database=\"") + database + "\",what=\"" + what + "\"}");
}

std::vector<std::string> full_load(std::size_t pairs, Seconds time) {
  return {"--pairs", std::to_string(pairs), "--seconds", text(time.count()), "--warmup", "1", "--skip-history"};
}

/// Rounds of echo and Holdfast in turn, so that both meet the same neighbours.
void measure_full_load(const Options& options, const std::filesystem::path& folder, Server& server, Measured& m) {
  const EchoLoad echo{2 * options.pairs, options.pairs, 16, m.frame_bytes};
  const std::string log = (folder / "echo.log").string();
  std::vector<double> echoed, echo_cpu, delivered, acked, cpu, p50, p99, d50, d99;
  const Samples before = server.metrics();
  double messages = 0;
  for (int round = 0; round < options.rounds; ++round) {
    const Echoed one = measure_echo(echo, options.baseline, log);
    echoed.push_back(one.per_second);
    echo_cpu.push_back(one.server_cpu_us);
    const auto load = server.load(full_load(options.pairs, options.load));
    delivered.push_back(load.delivered_per_s);
    acked.push_back(load.acked_per_s);
    cpu.push_back(load.cpu_us);
    p50.push_back(load.ack_p50_ms);
    p99.push_back(load.ack_p99_ms);
    d50.push_back(load.delivery_p50_ms);
    d99.push_back(load.delivery_p99_ms);
    messages += load.delivered;
  }
  m.echo = {median(echoed), median(echo_cpu)};
  m.full = {median(acked), median(delivered), median(p50), median(p99),
            median(d50),   median(d99),       median(cpu), messages};

  m.full_load_end = wall_now();
  const Samples after = server.metrics();
  const auto more = [&](const char* name) { return sample(after, name) - sample(before, name); };
  const auto bytes = [&](const char* database, const char* what) {
    return (written(after, database, what) - written(before, database, what)) / messages;
  };
  const double commits = more("commits_total");
  m.entries_per_commit = static_cast<std::size_t>(std::max(1.0, more("committed_entries_total") / commits + 0.5));
  m.entry_bytes = static_cast<std::size_t>(more("committed_bytes_total") / more("committed_entries_total"));
  m.messages_per_commit = messages / commits;
  m.written = {bytes("log", "log"), bytes("log", "flush"), bytes("state", "flush"),
               bytes("log", "compaction") + bytes("state", "compaction")};
}

void measure_latency(const Options& options, const std::filesystem::path& folder, Server& server, Measured& m) {
  constexpr std::size_t kSmallEntry = 1'024;
  const Syncs before = rocksdb_commits(folder, 1, kSmallEntry, options.baseline / 2);
  m.steady_rate = options.steady_rate;
  m.steady = server.load({"--pairs", "100", "--rate", text(options.steady_rate), "--seconds",
                          text(options.steady.count()), "--warmup", "1", "--skip-history"});
  const Syncs after = rocksdb_commits(folder, 1, kSmallEntry, options.baseline / 2);
  m.one_commit = {(before.per_second + after.per_second) / 2, (before.p50_ms + after.p50_ms) / 2,
                  (before.p99_ms + after.p99_ms) / 2};
}

void measure_bare(const Options& options, const std::filesystem::path& folder, const std::filesystem::path& data,
                  Measured& m) {
  const Recorded recorded = read_recorded(data, m.full_load_end, kRecordedBytes);
  const auto messages = static_cast<double>(recorded.messages);
  m.rows_per_message = static_cast<double>(recorded.rows) / messages;
  m.log_bytes_per_message = static_cast<double>(recorded.bytes) / messages;
  std::vector<double> rates, cpus, commits;
  for (int round = 0; round < options.rounds; ++round) {
    const Bare bare = write_bare(recorded, m.entries_per_commit, folder);
    rates.push_back(bare.per_second);
    cpus.push_back(bare.cpu_us);
    commits.push_back(bare.ack_ms_p50);
  }
  m.bare = {median(rates), median(cpus), median(commits)};
  m.commits = rocksdb_commits(folder, m.entries_per_commit, m.entry_bytes, options.baseline);
}

/// Caches of 8 MiB each, the least that is allowed, and a state of ten times both.
void measure_cold(const Options& options, const std::filesystem::path& folder, Measured& m) {
  constexpr double kCacheBytes = 8 << 20;
  Server server(folder / "cold", "[storage]\ncache_bytes = 8388608\nobject_cache_bytes = 8388608\n");
  m.cold_cache_bytes = 2 * kCacheBytes;
  for (int fill = 0; m.cold_state_bytes < 10 * m.cold_cache_bytes; ++fill) {
    if (fill == 30) give_up("the state does not grow");
    server.load({"--pairs", "1000", "--body-bytes", "1000", "--seconds", "3", "--skip-history"});
    m.cold_state_bytes = sample(server.metrics(), "database_files_bytes{database=\"state\"}");
  }
  m.cold_pairs = options.cold_pairs;
  m.cold = server.load(full_load(options.cold_pairs, options.load));
}

Measured measure(const Options& options) {
  const ScratchFolder scratch(options.folder);
  const auto& folder = scratch.path();
  Measured m;
  m.pairs = options.pairs;
  m.rounds = options.rounds;
  m.frame_bytes = post_frame_bytes();
  say("disk");
  m.disk = disk_syncs(folder, 256, options.baseline);
  {
    Server server(folder / "server", "");
    say("full load, and an echo of the same frames");
    measure_full_load(options, folder, server, m);
    say("latency at a steady rate");
    measure_latency(options, folder, server, m);
    say("arrivals");
    m.answers = measure_answers(options.baseline, (folder / "answers.log").string());
    m.resumes = measure_resumes(server.door(), options.sessions, options.rounds);
  }
  say("the bare program, with the rows of that server");
  measure_bare(options, folder, folder / "server" / "data", m);
  say("a state ten times the caches");
  measure_cold(options, folder, m);
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  start_process();
  // What plays the server's part in a baseline is this program again.
  if (argc == 3 && std::strcmp(argv[1], "serve-echo") == 0)
    return serve_echo(static_cast<std::uint16_t>(std::atoi(argv[2])));
  if (argc == 3 && std::strcmp(argv[1], "serve-answers") == 0)
    return serve_answers(static_cast<std::uint16_t>(std::atoi(argv[2])));
  auto options = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  const Measured measured = measure(std::get<Options>(options));
  std::printf("%s", to_text(measured).c_str());
  return 0;
}
