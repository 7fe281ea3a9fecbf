// `holdfast-load storm` and `catchup` on the command line.
#include <cmath>

#include "tools/holdfast-load/proc_figures.h"
#include "tools/holdfast-load/run_command.h"

namespace holdfast::load {
namespace {

constexpr const char* kFooter = R"(
Sessions that were away come back at the same time, each as an app would: it connects, resumes, reads what it missed,
and tries again when it is told to. Latencies count from the moment at which a session was to come, or from the fault.

With --kill-pid, --kill-node or --kill-with the sessions are online, messages flow to all of them, and then that node
dies: who was there comes back elsewhere, or when it has been started again.

Exit codes: 0 all is well; 1 messages lost, duplicated or out of order, sessions that are not back, or a bound broken
  (--refused-max, --live-p99-max, --memory-max); 2 wrong usage; 3 could not start.

--json writes one object. Its keys, which stay: sessions, resumed, resumed_per_s (until the last was back), resume_ms,
caught_up_ms, connect_ms, log_in_ms, live_before_ms, live_during_ms (each with p50, p99, p999, max, count, or null);
all_back_s, not_back, refused (tries that the server turned away), timed_out (that clients gave up), unreachable,
wait_ms_mean, refusals (reason: how often); tls_handshakes, tls_resumed (by a ticket; null without TLS);
messages_shown, messages_per_s; lost, duplicated, out_of_order,
unacknowledged, errors; server_cpu_us_per_resume, server_resident_mib_max (null if the servers are not known);
generator_limited, generator_cpu_max, generator_late_ms, generator_processes, machine_busy; good, complaints, notes.
)";

/// A storm in which what counts is the messages.
class CatchUpCommand final : public RunCommand {
 public:
  explicit CatchUpCommand(CLI::App& app) : RunCommand(app, "catchup", "users who come back to many messages each") {
    CLI::App& c = command();
    c.footer(
        "A storm of sessions that are far behind; its figures and keys are those of `storm`, and messages_per_s and\n"
        "caught_up_ms are the ones to look at.");
    add_sessions(1'000, 1);
    plan().behind = 1'000;
    c.add_option("--behind", plan().behind, "messages that each has not seen [1000]")->check(CLI::Range(1, 100'000));
    c.add_option("--over", plan().over_s, "seconds over which their moments are spread [0: at once]")
        ->check(CLI::NonNegativeNumber);
    c.add_option("--back-max", plan().back_max_s, "seconds after which who has not caught up is given up [120]")
        ->check(CLI::PositiveNumber);
    add_live(0, 1'000);
  }

 private:
  Status complete(RunOptions& options) override {
    options.plan.seconds = 5;
    return Ok{};
  }
};

class StormCommand final : public RunCommand {
 public:
  explicit StormCommand(CLI::App& app) : RunCommand(app, "storm", "sessions that all come back at once") {
    CLI::App& c = command();
    c.footer(kFooter);
    add_sessions(1'000, 1);
    auto* over = c.add_option("--over", plan().over_s, "seconds over which their moments are spread [0: at once]")
                     ->check(CLI::NonNegativeNumber);
    c.add_flag("--at-once", at_once_, "all in the same moment, which is also the default")->excludes(over);
    c.add_option("--behind", plan().behind, "messages that each has not seen [0]")->check(CLI::Range(0, 100'000));
    c.add_option("--logins", log_in_percent_, "so many in a hundred come with a password instead [0]")
        ->check(CLI::Range(0.0, 100.0));
    c.add_option("--back-max", plan().back_max_s, "seconds after which who is not back is given up [120]")
        ->check(CLI::PositiveNumber);
    add_live(0, 1'000);
    c.add_option("--live-before", plan().seconds, "seconds of their talk before the storm, to compare with [5]")
        ->check(CLI::PositiveNumber);
    auto* pid = c.add_option("--kill-pid", given().fault.process, "kill -9 this server under online sessions")
                    ->check(CLI::PositiveNumber);
    auto* node = c.add_option("--kill-node", node_, "the same, of the server with this data directory");
    auto* with = c.add_option("--kill-with", given().fault.command, "the same by this command, for nodes elsewhere");
    pid->excludes(node)->excludes(with);
    node->excludes(with);
    c.add_option("--restart-with", given().fault.restart_command,
                 "the command that starts it again; it stays after the end, its output is dropped");
    c.add_option("--kill-after", given().fault.after_s, "seconds of messages before it is killed [3]")
        ->check(CLI::Range(0.1, 6.0));
    plan().seconds = 5;
  }

 private:
  Status complete(RunOptions& options) override {
    Plan& p = options.plan;
    if (!node_.empty()) {
      options.fault.process = holder_of_data(node_);
      if (options.fault.process == 0)
        return Error{Errc::invalid_argument, "--kill-node: no server that runs has the data directory " + node_};
    }
    p.fault = options.fault.wanted();
    if (!p.fault && !options.fault.restart_command.empty())
      return Error{Errc::invalid_argument, "--restart-with: nothing is killed; say what (--kill-pid, --kill-node)"};
    if (p.fault && (log_in_percent_ > 0 || p.over_s > 0))
      return Error{Errc::invalid_argument, "--logins and --over are for storms that nothing is killed for"};
    if (p.fault && p.behind == 0) p.behind = 40;
    p.log_ins = static_cast<std::uint64_t>(std::llround(static_cast<double>(p.sessions) * log_in_percent_ / 100));
    return Ok{};
  }

  bool at_once_ = false;
  double log_in_percent_ = 0;
  std::string node_;
};

}  // namespace

std::unique_ptr<RunCommand> storm_command(CLI::App& app) { return std::make_unique<StormCommand>(app); }

std::unique_ptr<RunCommand> catchup_command(CLI::App& app) { return std::make_unique<CatchUpCommand>(app); }

}  // namespace holdfast::load
