#include "tools/holdfastctl/recover_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <set>
#include <thread>

#include "tools/holdfastctl/cluster_commands.h"
#include "tools/holdfastctl/figures.h"
#include "tools/holdfastctl/options.h"
#include "tools/holdfastctl/recover.h"
#include "tools/holdfastctl/verify.h"

namespace holdfast::ctl {
namespace {

constexpr std::chrono::seconds kOpensWithin{15};
constexpr std::chrono::milliseconds kLook{200};

bool typed(const std::string& question, const std::string& wanted) {
  std::cout << question << " " << std::flush;
  std::string line;
  return static_cast<bool>(std::getline(std::cin, line)) && line == wanted;
}

/// Twice: first what it is about, then that it is meant.
bool is_meant(const RecoverCommand& command, const Seen& seen) {
  if (command.yes) return true;
  const std::string name = command.all ? seen.cluster.cluster : std::to_string(*command.partition);
  const std::string what = command.all ? "the cluster's id, " + name + "," : "the partition's number, " + name + ",";
  return typed(
             "\nThis can't be undone. If one of the nodes that are gone can come back with its disk, start it "
             "instead.\n"
             "Type " +
                 what + " to go on:",
             name) &&
         typed("And once more, type \"lose data\":", "lose data");
}

Status carry_out(Admin& admin, const Recovery& one) {
  return admin.post("/admin/unsafe-recover?partition=" + std::to_string(one.partition) +
                    "&node=" + std::to_string(one.to) + "&epoch=" + std::to_string(one.epoch) +
                    "&at=" + std::to_string(one.last_seq));
}

/// Until the nodes that were chosen serve them.
std::set<std::uint32_t> wait_until_served(Admin& admin, const RecoveryPlan& plan) {
  std::set<std::uint32_t> waiting;
  for (const Recovery& one : plan.recoveries) waiting.insert(one.partition);
  const auto until = std::chrono::steady_clock::now() + kOpensWithin;
  while (!waiting.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kLook);
    const auto seen = look_at_cluster(admin);
    if (!seen) continue;
    for (const auto& [node, copies] : seen->copies)
      for (const auto& copy : copies.copies)
        if (copy.serving) waiting.erase(copy.partition);
  }
  return waiting;
}

int recover(Admin& admin, const RecoverCommand& command) {
  const auto seen = look_at_cluster(admin);
  if (!seen) return failed(seen.error());
  const RecoveryPlan plan = plan_recovery(*seen, command.all, command.partition.value_or(0));
  std::cout << show_plan(seen->cluster, plan);
  for (const auto& node : seen->cluster.nodes)
    if (node.live && !seen->copies.contains(node.id))
      return failed(
          {Errc::io, name_of(seen->cluster, node.id) +
                         " runs, and its operators' port does not answer here: its copies may be longer. Name "
                         "it in --admin, or stop it"});
  if (plan.recoveries.empty()) {
    if (plan.refused.empty()) std::cout << "Every partition has as many copies in sync as it needs.\n";
    return plan.refused.empty() ? kExitOk : kExitRefused;
  }
  if (!is_meant(command, *seen)) return failed({Errc::permission_denied, "nothing was done"});
  for (const Recovery& one : plan.recoveries)
    if (const Status asked = carry_out(admin, one); !asked)
      return failed({asked.error().code, "partition " + std::to_string(one.partition) + ": " + asked.error().message});
  const auto waiting = wait_until_served(admin, plan);
  if (!waiting.empty())
    return failed({Errc::io, std::to_string(waiting.size()) + " partitions do not serve yet, the first is " +
                                 std::to_string(*waiting.begin()) + ": holdfastctl status and events say more"});
  std::cout << "Done: " << plan.recoveries.size()
            << " partitions serve again. Now give them copies: start nodes with empty data directories, under the old "
               "names or new ones.\nNever start one that is gone with its old data again.\n";
  return plan.refused.empty() ? kExitOk : kExitRefused;
}

}  // namespace

void add_recover(CLI::App& app, RecoverCommand& command) {
  command.recover =
      app.add_subcommand("unsafe-recover", "go on with what is left of partitions whose copies are gone; loses data")
          ->fallthrough();
  auto* partition =
      command.recover->add_option("PARTITION", command.partition, "its number")->check(CLI::Range(0, 65'535));
  auto* all =
      command.recover->add_flag("--all", command.all, "all that can't take writes because of copies that are gone");
  partition->excludes(all);
  command.recover->add_flag("--yes-i-may-lose-data", command.yes, "don't ask: for scripts");
}

std::optional<int> run_recover(const RecoverCommand& command, const Asked& asked) {
  if (!command.recover->parsed()) return std::nullopt;
  if (!command.all && !command.partition) return failed({Errc::invalid_argument, "name a PARTITION, or say --all"});
  auto admin = make_admin(asked);
  if (!admin) return failed(admin.error());
  return recover(*admin, command);
}

}  // namespace holdfast::ctl
