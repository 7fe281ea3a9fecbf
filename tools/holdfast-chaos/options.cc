#include "tools/holdfast-chaos/options.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "base/random.h"
#include "base/version.h"
#include "tools/holdfast-chaos/faults.h"

namespace holdfast::chaos {
namespace {

std::string footer() {
  std::string text = "\nFaults (one at a time; the next one comes when all partitions are in sync again):\n";
  for (const FaultKind& kind : fault_kinds()) {
    std::string name = kind.name;
    name.resize(18, ' ');
    text += "  " + name + kind.what + "\n";
  }
  return text + R"(
What is done to a node may name it: kill:busiest (that leads most partitions), kill:coordinator, kill:clients (that most
clients are connected to), kill:neither (neither the busiest nor the coordinator).

Each node runs in a network namespace of its own, which needs root; without that only faults that need no network of
one's own are done, on loopback, and the report says so.

The clients write at the given rate whatever happens, and write down all they do and see; meanwhile sessions are made,
ended, and tried again; and users with an address are written to, whose mails a relay of the run takes. At the end fresh clients read everything back, and the logs on the disks of all nodes are
compared. The report's folder gets summary.json, report.html and history.jsonl.

summary.json: verdict (good, violated), acked, lost, duplicated, out_of_order, mails (that the relay took), mails_missing,
mails_repeated (once more under their Message-ID), faults (by kind), violations, seed, command,
and by kind, with p50, p99 and max:
  outage_ms      the longest wait for an answer in each disturbed conversation (more than 100 ms)
  partition_ms   the same, of senders whose own connection held
  back_ms        from when a device in use last heard its node until its session went on; idle_back_ms: idle ones
  delivery_ms    from when a message was to be sent to when it was shown to a device
  healthy_ms     from the fault's end until all is in sync again
`each` has the same for each fault.

A fault that leaves the cluster broken is a violation; the nodes are then all started again, and the run goes on. Ctrl-C
ends it early, with its report.

Exit codes: 0 all properties hold; 1 one does not; 2 wrong usage; 3 the cluster or the clients did not come up.
)";
}

void add_common(CLI::App& app, Options& options) {
  app.add_option("--seconds", options.seconds, "how long to write [60]")->check(CLI::Range(1, 1'000'000));
  app.add_option("--rate", options.rate, "messages a second, all clients together [200]")
      ->check(CLI::Range(1.0, 100'000.0));
  app.add_option("--clients", options.clients, "devices; every third user has two [24]")->check(CLI::Range(2, 10'000));
  app.add_option("--listeners", options.listeners, "idle devices besides, which write to nobody [0]")
      ->check(CLI::Range(0, 100'000));
  app.add_option("--visitors", options.visitors, "sessions at a time that are made only to be ended (H9) [2]")
      ->check(CLI::Range(0, 100));
  app.add_option("--seed", options.seed, "of faults, targets and times [drawn]");
  app.add_option("--report", options.report, "the folder for the report [chaos-report]");
}

void add_run(CLI::App& app, Options& options) {
  add_common(app, options);
  app.add_option("--nodes", options.nodes, "3 or 5 [3]")->check(CLI::IsMember({3, 5}));
  app.add_option("--faults", options.faults, "kinds, with commas between [all that can be done here]")->delimiter(',');
  app.add_option("--rounds", options.rounds, "end when each kind was done so often; --seconds is then an upper limit");
  app.add_option("--hold", options.hold_s, "seconds to hold each fault that has a time [drawn]")
      ->check(CLI::Range(0.1, 600.0));
  app.add_option("--readers", options.readers, "users who get mail, half of whom stay away (H11); 0: no mails [6]")
      ->check(CLI::Range(0, 1'000));
  app.add_option("--partitions", options.partitions, "of the cluster [64]")->check(CLI::Range(1, 1'024));
  app.add_option("--binary", options.binary, "holdfastd [the one beside this program]")->check(CLI::ExistingFile);
  app.add_option("--binary-before", options.binary_before,
                 "of an earlier build: the nodes begin with it, rolling-upgrade goes forth, back and forth")
      ->check(CLI::ExistingFile);
  app.add_option("--folder", options.folder, "for data and logs, which then stay [a temporary one]");
  app.add_flag("--flap-defaults", options.flap_defaults, "keep the nodes' flap limits; without it they are off");
  app.add_flag("--loopback", options.loopback, "no network namespaces");
  app.add_flag("!--report-times-only", options.judge_goals, "a goal for outages that is missed (H13) is no failure");
  app.add_option("--whole-max", options.whole_max_s, "seconds until all is in sync again after a fault (H12) [60]");
  app.add_option("--answer-max", options.answer_max_s, "seconds until messages are answered after a fault (H12) [10]");
}

void add_attach(CLI::App& app, Options& options, std::string& servers, bool& tls) {
  add_common(app, options);
  app.add_option("-e,--endpoints", servers, "HOST:PORT of the nodes, with commas between")->required();
  app.add_option("--operator-key", options.operator_key_file, "operator.key of the first one [data/operator.key]");
  app.add_flag("--tls", tls, "speak TLS; without --tls-ca any certificate will do");
  app.add_option("--tls-ca", options.trust.ca_file, "PEM file of whom to trust; implies --tls");
}

int usage(const std::string& message) {
  std::cerr << "holdfast-chaos: " << message << "\nholdfast-chaos --help says more.\n";
  return kExitUsage;
}

std::string command_of(int argc, char** argv, const Options& options) {
  std::string line;
  bool seeded = false;
  for (int i = 0; i < argc; ++i) {
    line += (i == 0 ? "" : " ") + std::string(argv[i]);
    seeded = seeded || std::string_view(argv[i]).starts_with("--seed");
  }
  return seeded ? line : line + " --seed " + std::to_string(options.seed);
}

}  // namespace

std::string own_folder() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path().string();
}

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  std::string servers;
  bool tls = false;
  CLI::App app("Breaks a cluster in every way it can, and checks what clients saw.", "holdfast-chaos");
  app.set_version_flag("--version", "holdfast-chaos " + std::string(kVersion));
  app.require_subcommand(1);
  app.footer(footer());
  auto* run = app.add_subcommand("run", "a cluster of its own, which it breaks");
  add_run(*run, options);
  auto* attach =
      app.add_subcommand("attach", "the same clients and checks against a cluster that somebody else breaks");
  add_attach(*attach, options, servers, tls);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(kExitGood) : static_cast<int>(kExitUsage);
  }
  for (const std::string& fault : options.faults)
    if (find_kind(fault) == nullptr || !target_of(fault)) return usage("there is no fault \"" + fault + "\"");
  if (options.rounds > 0 && run->count("--seconds") == 0) options.seconds = 0;
  options.attach = attach->parsed();
  if (options.attach) {
    auto endpoints = client::parse_endpoints(servers);
    if (!endpoints) return usage(endpoints.error().message);
    options.endpoints = std::move(*endpoints);
    for (auto& endpoint : options.endpoints) endpoint.tls = endpoint.tls || tls || !options.trust.ca_file.empty();
  }
  options.trust.insecure = options.trust.ca_file.empty();
  if (options.seed == 0) options.seed = SystemRandom().next() % 1'000'000'000 + 1;
  if (options.binary.empty()) options.binary = own_folder() + "/holdfastd";
  options.command = command_of(argc, argv, options);
  return options;
}

}  // namespace holdfast::chaos
