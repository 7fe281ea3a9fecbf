#include "tools/holdfastctl/cluster_commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <thread>
#include <tuple>

#include "tools/holdfastctl/drain_progress.h"
#include "tools/holdfastctl/figures.h"
#include "tools/holdfastctl/options.h"
#include "tools/holdfastctl/show.h"
#include "tools/holdfastctl/verify.h"

namespace holdfast::ctl {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRedraw{1'000};
constexpr milliseconds kLook{300};

bool colour() { return ::isatty(STDOUT_FILENO) == 1; }

Result<http::ClusterFigures> ask_cluster(Admin& admin) {
  const auto body = admin.get("/admin/cluster");
  if (!body) return body.error();
  return parse_cluster(*body);
}

// ------------------------------------------------------------------------------------------------ looking

int status(Admin& admin, const ClusterCommand& command) {
  std::string told;
  const auto seen = look_at_cluster(admin, &told);
  if (!seen) return failed(seen.error());
  if (command.json) {
    std::map<std::uint32_t, std::uint64_t> lags;
    for (const auto& node : seen->cluster.nodes)
      if (const auto lag = lag_of(*seen, node.id)) lags.emplace(node.id, *lag);
    std::cout << with_lags(told, lags);
    return kExitOk;
  }
  std::cout << show_status(*seen, wall_now(), colour());
  return kExitOk;
}

/// Until Ctrl-C. A node that does not answer is a line, not the end.
int watch(Admin& admin) {
  const bool terminal = colour();
  while (true) {
    const auto seen = look_at_cluster(admin);
    std::string screen = seen ? show_status(*seen, wall_now(), terminal) : seen.error().message + "\n";
    std::cout << (terminal ? "\033[H\033[2J" : "\n") << screen << std::flush;
    std::this_thread::sleep_for(kRedraw);
  }
}

int partition(Admin& admin, const ClusterCommand& command) {
  const auto cluster = ask_cluster(admin);
  if (!cluster) return failed(cluster.error());
  const std::string target = "/admin/partitions/" + std::to_string(command.partition);
  auto body = admin.get(target);
  if (!body) return failed(body.error());
  auto detail = parse_partition(*body);
  if (!detail) return failed(detail.error());
  // Its primary knows most: the copies of the others.
  const auto where = reachable(*cluster, admin);
  const auto primary = where.find(detail->configured.primary);
  if (primary != where.end() && primary->first != detail->self) {
    const auto there = admin.get_from(primary->second, target);
    auto known = there ? parse_partition(*there) : Result<http::PartitionDetail>(there.error());
    if (known && known->self == primary->first) {
      body = there;
      detail = std::move(known);
    }
  }
  std::cout << (command.json ? *body : show_partition(*cluster, *detail, colour()));
  return kExitOk;
}

/// All nodes' events, each node's own numbering; shown in the order of time.
int events(Admin& admin, const ClusterCommand& command) {
  auto cluster = ask_cluster(admin);
  if (!cluster) return failed(cluster.error());
  std::map<std::uint32_t, std::uint64_t> since;
  while (true) {
    std::vector<http::EventFigures> fresh;
    for (const auto& [node, where] : reachable(*cluster, admin)) {
      const auto body = admin.get_from(where, "/admin/events?since=" + std::to_string(since[node]));
      const auto told = body ? parse_events(*body) : Result<http::EventsFigures>(body.error());
      if (!told || told->self != node) continue;
      if (told->last < since[node]) {  // it was started again, and counts from the beginning
        since[node] = 0;
        continue;
      }
      since[node] = told->last;
      fresh.insert(fresh.end(), told->events.begin(), told->events.end());
    }
    std::sort(fresh.begin(), fresh.end(), [](const auto& a, const auto& b) {
      return std::tie(a.time_ms, a.by, a.number) < std::tie(b.time_ms, b.by, b.number);
    });
    for (const auto& event : fresh)
      std::cout << (command.json ? event_json(event) : show_event(*cluster, event, colour()));
    std::cout << std::flush;
    if (!command.follow) return kExitOk;
    std::this_thread::sleep_for(kLook);
    if (auto again = ask_cluster(admin)) cluster = std::move(again);
  }
}

// ------------------------------------------------------------------------------------------------ changing

/// To anyone; and if only another can, to the one that coordinates.
Status change(Admin& admin, const http::ClusterFigures& cluster, const std::string& target) {
  const Status done = admin.post(target);
  if (done || done.error().code != Errc::not_primary || !cluster.coordinator) return done;
  const auto where = reachable(cluster, admin);
  const auto coordinator = where.find(cluster.coordinator->node);
  return coordinator == where.end() ? done : admin.post_to(coordinator->second, target);
}

/// Waits until the node leads nothing and has given up what others can hold. Errors end the waiting, not the drain.
int wait_until_drained(Admin& admin, std::uint32_t id) {
  DrainProgress progress;
  for (bool first = true;; first = false) {
    const auto cluster = ask_cluster(admin);
    const auto node = cluster ? find_node(*cluster, std::to_string(id)) : Result<http::NodeFigures>(cluster.error());
    if (!node) return failed(node.error());
    if (!first && !node->draining) return failed({Errc::io, "somebody undrained it meanwhile"});
    std::cout << progress.look(*cluster, *node, steady_now()) << std::flush;
    if (is_drained(*cluster, *node)) break;
    std::this_thread::sleep_for(kLook);
  }
  std::cout << "Drained. It can be stopped (SIGTERM); its clients are told to move then.\n";
  return kExitOk;
}

int drain(Admin& admin, const ClusterCommand& command, const std::string& what) {
  const auto cluster = ask_cluster(admin);
  if (!cluster) return failed(cluster.error());
  const auto node = find_node(*cluster, command.node);
  if (!node) return failed(node.error());
  const Status done = change(admin, *cluster, "/admin/" + what + "?node=" + std::to_string(node->id));
  if (!done) return failed(done.error());
  if (what == "drain" && !command.no_wait) return wait_until_drained(admin, node->id);
  std::cout << what << " of " << name_of(*cluster, node->id) << " is under way; holdfastctl events says more.\n";
  return kExitOk;
}

int move(Admin& admin, const ClusterCommand& command) {
  const auto cluster = ask_cluster(admin);
  if (!cluster) return failed(cluster.error());
  const auto node = find_node(*cluster, command.node);
  if (!node) return failed(node.error());
  const Status done =
      change(admin, *cluster,
             "/admin/move?partition=" + std::to_string(command.partition) + "&node=" + std::to_string(node->id));
  if (!done) return failed(done.error());
  std::cout << "partition " << command.partition << " is on its way to " << name_of(*cluster, node->id) << ".\n";
  return kExitOk;
}

int rebalance(Admin& admin) {
  const auto cluster = ask_cluster(admin);
  if (!cluster) return failed(cluster.error());
  const Status done = change(admin, *cluster, "/admin/rebalance");
  if (!done) return failed(done.error());
  std::cout << "rebalancing; holdfastctl watch shows it.\n";
  return kExitOk;
}

int verify(Admin& admin) {
  const auto cluster = ask_cluster(admin);
  if (!cluster) return failed(cluster.error());
  const auto found = compare_copies(*cluster, admin);
  if (!found) return failed(found.error());
  std::cout << show_verified(*cluster, *found);
  return found->differing.empty() && found->compared > 0 ? kExitOk : kExitRefused;
}

}  // namespace

Result<Seen> look_at_cluster(Admin& admin, std::string* told) {
  auto answer = admin.get("/admin/cluster");
  if (!answer) return answer.error();
  auto cluster = parse_cluster(*answer);
  if (!cluster) return cluster.error();
  if (told != nullptr) *told = std::move(*answer);
  Seen seen{std::move(*cluster), {}};
  for (auto& [node, where] : reachable(seen.cluster, admin)) {
    const auto body = admin.get_from(where, "/admin/copies");
    auto copies = body ? parse_copies(*body) : Result<http::CopiesFigures>(body.error());
    if (copies && copies->self == node) seen.copies.emplace(node, std::move(*copies));
  }
  return seen;
}

void add_cluster(CLI::App& app, ClusterCommand& command) {
  const auto add = [&](const char* name, const char* help) {
    command.all.push_back(app.add_subcommand(name, help)->fallthrough());
    return command.all.back();
  };
  const auto node = [&](CLI::App* to) { to->add_option("NODE", command.node, "its name or number")->required(); };
  const auto number = [&](CLI::App* to) {
    to->add_option("PARTITION", command.partition, "its number")->required()->check(CLI::Range(0, 65'535));
  };
  add("status", "nodes, who coordinates, partitions")->add_flag("--json", command.json, "for programs");
  add("watch", "the same, again every second");
  auto* drain = add("drain", "move everything away from a node, so that it can be stopped");
  node(drain);
  drain->add_flag("--no-wait", command.no_wait, "don't wait until it is done");
  node(add("undrain", "let a node take part again"));
  auto* move = add("move", "let another node lead a partition");
  number(move);
  node(move);
  add("rebalance", "spread primaries evenly, now");
  auto* one = add("partition", "one partition in detail");
  number(one);
  one->add_flag("--json", command.json, "for programs");
  auto* events = add("events", "what happened: suspicions, promotions, who decided, how long it took");
  events->add_flag("-f,--follow", command.follow, "go on as things happen");
  events->add_flag("--json", command.json, "one object a line");
  node(add("remove", "strike a node off that is drained and stopped"));
  add("verify", "compare all copies of all partitions by their chain values");
}

std::optional<int> run_cluster(const ClusterCommand& command, const Asked& asked) {
  const auto wanted =
      std::find_if(command.all.begin(), command.all.end(), [](const CLI::App* one) { return one->parsed(); });
  if (wanted == command.all.end()) return std::nullopt;
  auto made = make_admin(asked);
  if (!made) return failed(made.error());
  Admin& admin = *made;
  const std::string name = (*wanted)->get_name();
  if (name == "status") return status(admin, command);
  if (name == "watch") return watch(admin);
  if (name == "partition") return partition(admin, command);
  if (name == "events") return events(admin, command);
  if (name == "move") return move(admin, command);
  if (name == "rebalance") return rebalance(admin);
  if (name == "verify") return verify(admin);
  return drain(admin, command, name);
}

}  // namespace holdfast::ctl
