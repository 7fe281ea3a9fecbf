#include "tools/holdfast-load/run_command.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/random.h"
#include "tools/holdfast-load/proc_figures.h"

namespace holdfast::load {
namespace {

std::vector<std::string> cut_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from < text.size();) {
    const auto comma = std::min(text.find(',', from), text.size());
    if (comma > from) parts.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

Result<std::vector<HostPort>> places(const std::string& text) {
  std::vector<HostPort> all;
  for (const std::string& part : cut_at_commas(text)) {
    auto place = parse_host_port(part);
    if (!place) return place.error();
    all.push_back(std::move(*place));
  }
  return all;
}

std::string draw_run_name() {
  SystemRandom random;
  return fmt::format("{:08x}", random.next() & 0xffffffff);
}

}  // namespace

RunCommand::RunCommand(CLI::App& app, const std::string& name, const std::string& what)
    : command_(app.add_subcommand(name, what)) {
  CLI::App& c = *command_;
  c.add_option("-s,--server", servers_, "HOST:PORT, several with commas [127.0.0.1:7400]");
  c.add_option("--operator-key", given_.operator_key_file, "operator.key of the server [data/operator.key]");
  c.add_flag("--tls", tls_, "speak TLS; without --tls-ca any certificate will do");
  c.add_option("--tls-ca", given_.plan.ca_file, "PEM file of whom to trust; implies --tls");
  c.add_flag("--fresh-tls", given_.plan.fresh_tls, "sessions keep no TLS tickets: each handshake is a whole one");
  c.add_flag("--ws", websocket_, "speak WebSocket");
  c.add_option("--body-bytes", given_.plan.body_bytes, "of each message, 32 to 65536 [100]")
      ->check(CLI::Range(32, 65'536));
  c.add_option("--json", given_.json_file, "write the figures to this file");
  c.add_option("--report", given_.report_file, "write a page with the curves to this file (HTML)");
  c.add_option("--server-pid", server_pids_,
               "processes of servers here, with commas: their processor time and memory [the LOCK beside the key]");
  c.add_option("--metrics", metrics_, "HOST:PORT of servers' operators' ports instead, with commas");
  c.add_option("--processes", given_.processes, "how many make the load [as few as files and cores allow]")
      ->check(CLI::Range(1, 1'000));
  c.add_option("--workers-at", workers_at_, "HOST:PORT of `holdfast-load worker --listen`, with commas, instead");
  c.add_option("--refused-max", given_.bounds.refused_max, "exit 1 if the server turned away more tries than that");
  c.add_option("--memory-max", given_.bounds.resident_max, "exit 1 if the servers took more bytes of memory")
      ->transform(CLI::AsSizeValue(false));
}

void RunCommand::add_sessions(std::uint64_t at_first, std::uint64_t least) {
  plan().sessions = at_first;
  command()
      .add_option("--sessions", plan().sessions, fmt::format("how many [{}]", at_first))
      ->check(CLI::Range(least, std::uint64_t{10'000'000}));
}

void RunCommand::add_live(std::uint64_t pairs_at_first, double rate_at_first) {
  plan().live_pairs = pairs_at_first;
  plan().rate = rate_at_first;
  command()
      .add_option("--live-pairs", plan().live_pairs, fmt::format("who talk meanwhile; 0: nobody [{}]", pairs_at_first))
      ->check(CLI::Range(0, 100'000));
  command()
      .add_option("--live-rate", plan().rate,
                  fmt::format("messages a second, all pairs together [{:g}]", rate_at_first))
      ->check(CLI::PositiveNumber);
  command().add_option("--live-p99-max", given_.bounds.live_p99_ms_max,
                       "exit 1 if their messages took longer (p99, milliseconds)");
}

Status RunCommand::find_servers(RunOptions& options) const {
  auto endpoints = client::parse_endpoints(servers_);
  if (!endpoints) return endpoints.error();
  for (auto& endpoint : *endpoints) {
    endpoint.tls = endpoint.tls || tls_ || !options.plan.ca_file.empty();
    endpoint.websocket = endpoint.websocket || websocket_;
    if (given_.plan.fresh_tls && !endpoint.tls)
      return Error{Errc::invalid_argument, "--fresh-tls: TLS is not spoken; say --tls, or leave it out"};
    options.plan.servers += (options.plan.servers.empty() ? "" : ",") + endpoint.str();
  }
  return Ok{};
}

Status RunCommand::find_watched(RunOptions& options) const {
  for (const std::string& part : cut_at_commas(server_pids_)) {
    pid_t process = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), process);
    if (read.ec != std::errc() || read.ptr != part.data() + part.size() || !process_figures(process))
      return Error{Errc::invalid_argument, "--server-pid: there is no process " + part};
    options.watch.processes.push_back(process);
  }
  auto metrics = places(metrics_);
  if (!metrics) return Error{Errc::invalid_argument, "--metrics: " + metrics.error().message};
  options.watch.metrics = std::move(*metrics);
  if (!options.watch.processes.empty() || !options.watch.metrics.empty()) return Ok{};
  const auto data = std::filesystem::path(options.operator_key_file).parent_path();
  if (const pid_t process = holder_of_data(data)) options.watch.processes.push_back(process);
  return Ok{};
}

Result<RunOptions> RunCommand::options() {
  RunOptions options = given_;
  options.plan.scenario = command_->get_name();
  options.plan.run = draw_run_name();
  auto servers = find_servers(options);
  if (!servers) return servers.error();
  auto watched = find_watched(options);
  if (!watched) return watched.error();
  auto workers = places(workers_at_);
  if (!workers) return Error{Errc::invalid_argument, "--workers-at: " + workers.error().message};
  options.workers_at = std::move(*workers);
  auto completed = complete(options);
  if (!completed) return completed.error();
  return options;
}

}  // namespace holdfast::load
