// holdfast-bench: what ./dev bench runs. See options.cc for its help; docs/measurements.md has its figures.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/start.h"
#include "proto/client.pb.h"
#include "tests/bench/bare_inboxes.h"
#include "tests/bench/bare_tls.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/mails.h"
#include "tests/bench/options.h"
#include "tests/bench/report.h"
#include "tests/bench/storms.h"

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

struct Recording {
  Recorded entries;
  std::size_t entries_per_commit = 1;
};

/// The rows for the bare program, and how many went into one commit: of a server under the full load.
Recording record(const Options& options, const std::filesystem::path& folder) {
  Recording recording;
  {
    Server server(folder / "recorded", "");
    server.load(full_load(options.pairs, options.load));
    const Samples samples = server.metrics();
    const double entries = sample(samples, "committed_entries_total") / sample(samples, "commits_total");
    recording.entries_per_commit = static_cast<std::size_t>(std::max(1.0, entries + 0.5));
  }
  recording.entries = read_recorded(folder / "recorded" / "data", kRecordedBytes);
  std::filesystem::remove_all(folder / "recorded");
  return recording;
}

/// Of several rounds, the medians.
class Rounds {
 public:
  void add(const Server::LoadFigures& one) { loads_.push_back(one); }
  Server::LoadFigures median() const {
    using Figures = Server::LoadFigures;
    Figures all;
    for (double Figures::* field :
         {&Figures::acked_per_s, &Figures::delivered_per_s, &Figures::ack_p50_ms, &Figures::ack_p99_ms,
          &Figures::delivery_p50_ms, &Figures::delivery_p99_ms, &Figures::cpu_us}) {
      std::vector<double> values;
      for (const auto& load : loads_) values.push_back(load.*field);
      all.*field = bench::median(values);
    }
    for (const auto& load : loads_) all.delivered += load.delivered;
    return all;
  }

 private:
  std::vector<Server::LoadFigures> loads_;
};

/// Rounds of echo, bare program and Holdfast in turn, so that all meet the same neighbours.
void measure_full_load(const Options& options, const std::filesystem::path& folder, const Recording& recording,
                       Server& server, Measured& m) {
  const EchoLoad echo{2 * options.pairs, options.pairs, 16, m.frame_bytes};
  std::vector<double> echoed, echo_cpu, bare, bare_cpu, bare_commit;
  Rounds holdfast;
  const Samples before = server.metrics();
  for (int round = 0; round < options.rounds; ++round) {
    const Echoed one = measure_echo(echo, options.baseline, (folder / "echo.log").string());
    echoed.push_back(one.per_second);
    echo_cpu.push_back(one.server_cpu_us);
    const Bare rows = write_bare(recording.entries, recording.entries_per_commit, folder);
    bare.push_back(rows.per_second);
    bare_cpu.push_back(rows.cpu_us);
    bare_commit.push_back(rows.ack_ms_p50);
    holdfast.add(server.load(full_load(options.pairs, options.load)));
  }
  m.echo = {median(echoed), median(echo_cpu)};
  m.bare = {median(bare), median(bare_cpu), median(bare_commit)};
  m.full = holdfast.median();

  const Samples after = server.metrics();
  const auto more = [&](const char* name) { return sample(after, name) - sample(before, name); };
  const auto bytes = [&](const char* database, const char* what) {
    return (written(after, database, what) - written(before, database, what)) / m.full.delivered;
  };
  m.entries_per_commit = recording.entries_per_commit;
  m.entry_bytes = static_cast<std::size_t>(more("committed_bytes_total") / more("committed_entries_total"));
  m.messages_per_commit = m.full.delivered / more("commits_total");
  m.written = {bytes("log", "log"), bytes("log", "flush"), bytes("state", "flush"),
               bytes("log", "compaction") + bytes("state", "compaction")};
  m.commits = rocksdb_commits(folder, m.entries_per_commit, m.entry_bytes, options.baseline);
  const auto messages = static_cast<double>(recording.entries.messages);
  m.rows_per_message = static_cast<double>(recording.entries.rows) / messages;
  m.log_bytes_per_message = static_cast<double>(recording.entries.bytes) / messages;
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
  say("full load, for its rows");
  const Recording recording = record(options, folder);
  {
    Server server(folder / "server", "");
    say("full load, an echo of the same frames, and the bare program, in turn");
    measure_full_load(options, folder, recording, server, m);
    say("latency at a steady rate");
    measure_latency(options, folder, server, m);
    say("arrivals");
    m.answers = measure_answers(options.baseline, (folder / "answers.log").string());
    m.resumes = measure_resumes(server.door(), options.sessions, options.rounds);
  }
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
  if (argc == 5 && std::strcmp(argv[1], "serve-handshakes") == 0)
    return serve_handshakes(static_cast<std::uint16_t>(std::atoi(argv[2])), argv[3], argv[4]);
  if (argc == 5 && std::strcmp(argv[1], "serve-inboxes") == 0)
    return serve_inboxes(static_cast<std::uint16_t>(std::atoi(argv[2])), argv[3],
                         static_cast<std::uint16_t>(std::atoi(argv[4])));
  if (argc == 4 && std::strcmp(argv[1], "serve-fan-out") == 0)
    return serve_fan_out(static_cast<std::uint16_t>(std::atoi(argv[2])), std::strtoul(argv[3], nullptr, 10));
  if (argc > 1 && std::strcmp(argv[1], "storms") == 0) return run_storms(argc - 1, argv + 1);
  if (argc > 1 && std::strcmp(argv[1], "mails") == 0) return run_mails(argc - 1, argv + 1);
  auto options = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  const Measured measured = measure(std::get<Options>(options));
  std::printf("%s", to_text(measured).c_str());
  return 0;
}
