// `holdfast-load idle`, `groups`, `mix` and `hostile` on the command line.
#include <fstream>
#include <sstream>

#include "tools/holdfast-load/attacker.h"
#include "tools/holdfast-load/profile.h"
#include "tools/holdfast-load/run_command.h"

namespace holdfast::load {
namespace {

void add_seconds(CLI::App& command, Plan& plan, double at_first, const std::string& what) {
  plan.seconds = at_first;
  command.add_option("--seconds", plan.seconds, what)->check(CLI::PositiveNumber);
}

class IdleCommand final : public RunCommand {
 public:
  explicit IdleCommand(CLI::App& app) : RunCommand(app, "idle", "sessions that do nothing, and what each costs") {
    command().footer(
        "Opens the sessions, holds them, then sends messages to some of them. A session's memory is what the server "
        "has\n"
        "more than before, when it is quiet, divided by the sessions. The kernel's is that of sockets (root only), of "
        "one\n"
        "end.\n\n"
        "JSON keys: sessions, server_bytes_per_session, kernel_bytes_per_session, keepalive_bytes_per_session_per_s,\n"
        "server_cores_idle, server_cpu_us_per_message, messages, lost_connections, message_ack_ms, "
        "message_delivery_ms;\n"
        "lost, duplicated, out_of_order, unacknowledged, errors, good and what `storm` says of the generator.");
    add_sessions(1'000, 1);
    add_seconds(command(), plan(), 20, "to hold them, and again to send messages to some [20]");
    plan().rate = 10;
    command()
        .add_option("--rate", plan().rate, "messages a second, each to one of up to 500 [10]")
        ->check(CLI::PositiveNumber);
  }

 private:
  Status complete(RunOptions&) override { return Ok{}; }
};

class GroupsCommand final : public RunCommand {
 public:
  explicit GroupsCommand(CLI::App& app) : RunCommand(app, "groups", "one group, everybody online, one writes") {
    command().footer(
        "JSON keys: members, rate, sent, acked, put_off (refused for the moment, and sent again), delivered,\n"
        "delivered_per_s, server_cpu_us_per_delivery, ack_ms, delivery_ms (of every member), server_resident_mib_max; "
        "lost, duplicated, out_of_order, unacknowledged, "
        "errors,\n"
        "good and what `storm` says of the generator. Beyond 1,000 members a group is delivered as notes that it has "
        "gone\n"
        "on, and each member pages what is new.");
    plan().sessions = 1'000;
    command()
        .add_option("--members", plan().sessions, "who are online, besides the one who writes [1000]")
        ->check(CLI::Range(2, 9'999));
    add_seconds(command(), plan(), 10, "how long to send [10]");
    plan().rate = 100;
    command().add_option("--rate", plan().rate, "messages a second [100]")->check(CLI::PositiveNumber);
  }

 private:
  Status complete(RunOptions&) override { return Ok{}; }
};

class MixCommand final : public RunCommand {
 public:
  explicit MixCommand(CLI::App& app) : RunCommand(app, "mix", "a day's mix from a profile, for soak runs") {
    command().footer(R"(The profile is TOML; docs/load-testing.md has it with every key:

  sessions = 1000
  [rates]                 # a second, over all sessions
  messages = 200
  group_messages = 20
  reads = 100
  typing = 50
  history = 5
  drop_outs = 10
  log_ins = 0.5
  [groups]
  count = 20
  members = 50
  [drop_outs]
  away_min_s = 1
  away_max_s = 30

A drop-out closes the connection; the session comes back after a while, with its token.)");
    command().add_option("--profile", profile_, "the TOML file")->required();
    add_seconds(command(), plan(), 60, "how long [60]");
  }

 private:
  Status complete(RunOptions& options) override {
    std::ifstream file(profile_);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return Error{Errc::invalid_argument, "--profile: can't read " + profile_};
    auto read = read_profile(text.str(), profile_, options.plan);
    if (!read) return read;
    options.plan.rate = options.plan.mix.messages + options.plan.mix.group_messages;
    return Ok{};
  }

  std::string profile_;
};

class HostileCommand final : public RunCommand {
 public:
  explicit HostileCommand(CLI::App& app) : RunCommand(app, "hostile", "honest traffic, and others who mean no good") {
    command().footer(R"(Kinds:
  half-open   TLS handshakes that stop, half of them when the server has done its part
  silent      connections that never speak
  slow        a log-in at one byte a second
  history     sessions that ask for the same pages again and again
  passwords   log-ins with wrong passwords, from many addresses
  token       one session's token, resumed from all connections at once

Exit code 1 also if --live-p99-max or --memory-max is exceeded. JSON keys: kind, connections, attempts, answered, denied,
closed, unreachable, live_before_ms, live_during_ms, server_resident_mib_before, server_resident_mib_max, server_cores;
lost, duplicated, out_of_order, unacknowledged, errors, good and what `storm` says of the generator.)");
    command().add_option("--kind", plan().kind, "one of the below")->required();
    plan().connections = 100;
    command()
        .add_option("--connections", plan().connections, "how many of them at once [100]")
        ->check(CLI::Range(1, 1'000'000));
    add_seconds(command(), plan(), 10, "of honest traffic alone, and again with them [10]");
    add_live(50, 200);
  }

 private:
  Status complete(RunOptions& options) override {
    Plan& p = options.plan;
    if (p.kind != "history" && !is_attacker_kind(p.kind))
      return Error{Errc::invalid_argument,
                   "--kind: \"" + p.kind + "\" is none of half-open, silent, slow, history, passwords, token"};
    if (p.live_pairs == 0)
      return Error{Errc::invalid_argument, "--live-pairs: without honest traffic there is nothing to measure"};
    if (p.kind == "history") p.behind = 500;
    return Ok{};
  }
};

}  // namespace

std::unique_ptr<RunCommand> idle_command(CLI::App& app) { return std::make_unique<IdleCommand>(app); }
std::unique_ptr<RunCommand> groups_command(CLI::App& app) { return std::make_unique<GroupsCommand>(app); }
std::unique_ptr<RunCommand> mix_command(CLI::App& app) { return std::make_unique<MixCommand>(app); }
std::unique_ptr<RunCommand> hostile_command(CLI::App& app) { return std::make_unique<HostileCommand>(app); }

}  // namespace holdfast::load
