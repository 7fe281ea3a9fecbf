#include "tools/holdfast-chaos/faults.h"

#include <algorithm>
#include <map>

namespace holdfast::chaos {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kStopMax{40};
constexpr std::chrono::seconds kRollMax{60};

}  // namespace

const std::vector<FaultKind>& fault_kinds() {
  static const std::vector<FaultKind> kKinds = {
      {"kill", Need::nothing, "kill -9 of a node, started again after 1 to 5 s"},
      {"pause", Need::nothing, "SIGSTOP of a node for 0.1 to 10 s"},
      {"cut", Need::namespaces, "a node's cable for 3 to 10 s"},
      {"cut-in", Need::namespaces, "nothing reaches a node for 3 to 10 s"},
      {"cut-out", Need::namespaces, "nothing leaves a node for 3 to 10 s"},
      {"partial", Need::namespaces, "two nodes don't hear each other for 3 to 10 s"},
      {"slow-net", Need::namespaces, "a node's packets are 20 to 80 ms late, 1 to 5 % are lost, for 5 to 10 s"},
      {"slow-disk", Need::shim, "each sync of a node takes 50 to 1,000 ms more, for 3 to 10 s"},
      {"full-disk", Need::small_disk, "a node's disk is full for 3 to 10 s"},
      {"wipe", Need::nothing, "kill -9 of a node, and its data is gone"},
      {"clock", Need::shim, "a node's clock is a minute to an hour wrong, for 5 to 15 s"},
      {"etcd-kill", Need::nothing, "kill -9 of an etcd member, started again after 2 to 6 s", false},
      {"etcd-outage", Need::nothing, "no etcd for 5 to 20 s", false},
      {"drain", Need::nothing, "SIGTERM to a node, started again when it has ended"},
      {"rolling-upgrade", Need::nothing, "all nodes, one after the other; between two builds with --binary-before",
       false},
  };
  return kKinds;
}

const FaultKind* find_kind(const std::string& fault) {
  const auto& kinds = fault_kinds();
  const std::string name = fault.substr(0, fault.find(':'));
  const auto found = std::ranges::find(kinds, name, [](const FaultKind& kind) { return std::string(kind.name); });
  return found == kinds.end() ? nullptr : &*found;
}

std::optional<Target> target_of(const std::string& fault) {
  static const std::map<std::string, Target> kTargets = {{"busiest", Target::busiest},
                                                         {"coordinator", Target::coordinator},
                                                         {"clients", Target::clients},
                                                         {"neither", Target::neither}};
  const auto colon = fault.find(':');
  if (colon == std::string::npos) return Target::any;
  const FaultKind* const kind = find_kind(fault);
  const auto target = kTargets.find(fault.substr(colon + 1));
  if (kind == nullptr || !kind->of_a_node || target == kTargets.end()) return std::nullopt;
  return target->second;
}

Faults::Action Faults::action_of(const std::string& kind) {
  static const std::map<std::string, Action> kActions = {
      {"kill", &Faults::kill},
      {"pause", &Faults::pause},
      {"cut", &Faults::cut},
      {"cut-in", &Faults::cut},
      {"cut-out", &Faults::cut},
      {"partial", &Faults::partial},
      {"slow-net", &Faults::slow_net},
      {"slow-disk", &Faults::slow_disk},
      {"full-disk", &Faults::full_disk},
      {"wipe", &Faults::wipe},
      {"clock", &Faults::clock},
      {"etcd-kill", &Faults::etcd_kill},
      {"etcd-outage", &Faults::etcd_outage},
      {"drain", &Faults::drain},
      {"rolling-upgrade", &Faults::rolling},
  };
  return kActions.at(kind);
}

Result<Fault> Faults::carry_out(const std::string& kind) {
  Fault fault;
  fault.kind = kind;
  const Action action = action_of(kind.substr(0, kind.find(':')));
  target_ = target_of(kind).value_or(Target::any);
  fault.began = now();
  if (auto done = (this->*action)(fault); !done) return Error{done.error().code, kind + ": " + done.error().message};
  if (fault.ended == 0) fault.ended = now();
  return fault;
}

Micros Faults::now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady_now() - began_).count();
}

std::size_t Faults::node_with_most_clients() const {
  const auto endpoints = stage_.nodes().endpoints();
  std::vector<std::size_t> clients(endpoints.size());
  for (const client::Endpoint& one : whereabouts_())
    for (std::size_t i = 0; i < endpoints.size(); ++i) clients[i] += one.authority() == endpoints[i].authority();
  return static_cast<std::size_t>(std::ranges::max_element(clients) - clients.begin());
}

std::size_t Faults::some_node(Fault& fault) {
  static constexpr Target kDrawn[] = {Target::clients, Target::coordinator, Target::busiest, Target::any};
  Nodes& nodes = stage_.nodes();
  std::size_t node = random_.below(nodes.size());
  const Target drawn = kDrawn[random_.below(std::size(kDrawn))];
  const Target target = target_ == Target::any ? drawn : target_;
  std::string coordinator, leader;
  if (const auto view = stage_.health().look()) {
    coordinator = view->coordinator.value_or("");
    std::size_t most = 0;
    for (const auto& [name, leads] : view->leads)
      if (leads > most) {
        most = leads;
        leader = name;
      }
  }
  if (target == Target::clients) node = node_with_most_clients();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool coordinates = nodes.name(i) == coordinator, leads = nodes.name(i) == leader;
    if ((target == Target::coordinator && coordinates) || (target == Target::busiest && leads) ||
        (target == Target::neither && !coordinates && !leads))
      node = i;
  }
  fault.target = nodes.name(node) + (coordinator == nodes.name(node) ? " (coordinator)" : "");
  fault.began = now();
  return node;
}

void Faults::hold(milliseconds from, milliseconds to) {
  const milliseconds drawn = from + milliseconds(random_.below(static_cast<std::uint64_t>((to - from).count()) + 1));
  stage_.rest(hold_.count() > 0 ? hold_ : drawn);
}

Status Faults::restart(std::size_t node, bool before, Fault& fault) {
  auto started = stage_.nodes().start(node, before);
  stage_.expect_up(node, true);
  fault.ended = now();
  return started;
}

// ------------------------------------------------------------------------------------------------ processes

Status Faults::kill(Fault& fault) {
  const std::size_t node = some_node(fault);
  stage_.expect_up(node, false);
  stage_.nodes().child(node).kill();
  hold(milliseconds(1'000), milliseconds(5'000));
  return restart(node, false, fault);
}

Status Faults::pause(Fault& fault) {
  const std::size_t node = some_node(fault);
  stage_.nodes().child(node).freeze();
  hold(milliseconds(100), milliseconds(10'000));
  stage_.nodes().child(node).thaw();
  return Ok{};
}

Status Faults::wipe(Fault& fault) {
  const std::size_t node = some_node(fault);
  stage_.expect_up(node, false);
  stage_.nodes().child(node).kill();
  if (auto wiped = stage_.nodes().wipe(node); !wiped) return wiped;
  hold(milliseconds(1'000), milliseconds(3'000));
  return restart(node, false, fault);
}

Status Faults::drain(Fault& fault) {
  const std::size_t node = some_node(fault);
  stage_.expect_up(node, false);
  if (!stage_.nodes().child(node).stop(kStopMax))
    stage_.crashes().push_back(stage_.nodes().name(node) + " did not end within " + std::to_string(kStopMax.count()) +
                               " s of being told to");
  return restart(node, false, fault);
}

Status Faults::rolling(Fault& fault) {
  Nodes& nodes = stage_.nodes();
  fault.target = nodes.has_before() ? "all, to the other build and back" : "all";
  // The nodes began with the earlier build if there is one: forth, back, and forth again.
  const std::vector<bool> builds =
      nodes.has_before() ? std::vector<bool>{false, true, false} : std::vector<bool>{false};
  for (const bool before : builds) {
    for (std::size_t i = 0; i < nodes.size() && !stage_.interrupted(); ++i) {
      stage_.expect_up(i, false);
      (void)nodes.child(i).stop(kStopMax);
      if (auto started = restart(i, before, fault); !started) return started;
      if (!stage_.wait_until_whole(kRollMax)) return Ok{};  // said by whoever waits for the end
    }
  }
  return Ok{};
}

// ------------------------------------------------------------------------------------------------ networks

Status Faults::cut(Fault& fault) {
  static const std::map<std::string, Direction> kDirections = {
      {"cut", Direction::both}, {"cut-in", Direction::in}, {"cut-out", Direction::out}};
  const std::size_t node = some_node(fault);
  const Direction direction = kDirections.at(find_kind(fault.kind)->name);
  if (auto done = stage_.network().cut(node, direction); !done) return done;
  hold(milliseconds(3'000), milliseconds(10'000));
  return stage_.network().mend(node);
}

Status Faults::partial(Fault& fault) {
  const std::size_t node = some_node(fault);
  const std::size_t other = (node + 1 + random_.below(stage_.nodes().size() - 1)) % stage_.nodes().size();
  fault.target += " and " + stage_.nodes().name(other);
  if (auto done = stage_.network().part(node, other); !done) return done;
  hold(milliseconds(3'000), milliseconds(10'000));
  return stage_.network().mend(node);
}

Status Faults::slow_net(Fault& fault) {
  const std::size_t node = some_node(fault);
  const auto delay_ms = static_cast<std::uint32_t>(20 + random_.below(61));
  const auto loss = static_cast<std::uint32_t>(1 + random_.below(5));
  if (auto done = stage_.network().slow(node, delay_ms, loss); !done) return done;
  hold(milliseconds(5'000), milliseconds(10'000));
  return stage_.network().mend(node);
}

// ------------------------------------------------------------------------------------------------ disks and clocks

Status Faults::slow_disk(Fault& fault) {
  const std::size_t node = some_node(fault);
  shim::Settings settings;
  settings.sync_delay_us = static_cast<std::int64_t>(50'000 + random_.below(950'001));
  stage_.nodes().set_shim(node, settings);
  hold(milliseconds(3'000), milliseconds(10'000));
  stage_.nodes().set_shim(node, {});
  return Ok{};
}

Status Faults::full_disk(Fault& fault) {
  const std::size_t node = some_node(fault);
  stage_.allow_disk_death(true);
  auto done = stage_.nodes().fill_disk(node);
  if (done) hold(milliseconds(3'000), milliseconds(10'000));
  auto undone = stage_.nodes().empty_disk(node);
  stage_.rest(milliseconds(200));  // one that is just ending for it is forgiven
  stage_.allow_disk_death(false);
  return done ? undone : done;
}

Status Faults::clock(Fault& fault) {
  const std::size_t node = some_node(fault);
  shim::Settings settings;
  settings.clock_offset_s = static_cast<std::int64_t>(60 + random_.below(3'541)) * (random_.below(2) == 0 ? 1 : -1);
  stage_.nodes().set_shim(node, settings);
  hold(milliseconds(5'000), milliseconds(15'000));
  stage_.nodes().set_shim(node, {});
  return Ok{};
}

// ------------------------------------------------------------------------------------------------ etcd

Status Faults::etcd_kill(Fault& fault) {
  const std::size_t member = random_.below(stage_.etcd().size());
  fault.target = "etcd member " + std::to_string(member + 1);
  stage_.etcd().kill(member);
  hold(milliseconds(2'000), milliseconds(6'000));
  return stage_.etcd().start(member);
}

Status Faults::etcd_outage(Fault& fault) {
  fault.target = "etcd";
  for (std::size_t i = 0; i < stage_.etcd().size(); ++i) stage_.etcd().kill(i);
  hold(milliseconds(5'000), milliseconds(20'000));
  return stage_.etcd().start();
}

}  // namespace holdfast::chaos
