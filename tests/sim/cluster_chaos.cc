#include "tests/sim/cluster_chaos.h"

#include <algorithm>
#include <set>

#include "tests/sim/cluster_doings.h"

namespace holdfast::sim {
namespace {

constexpr std::size_t kNodesMax = 7;
constexpr Millis kWhole{60'000}, kQuiet{20'000}, kSettle{400};

ClusterOptions options_of(const ChaosOptions& options, SeededRandom& random) {
  ClusterOptions out;
  out.seed = options.seed;
  out.steps_max = static_cast<unsigned>(10 + random.below(60));
  OneThreadOptions& node = out.node.node;
  node.partitions = static_cast<std::uint16_t>(1 + random.below(3));
  node.doors = static_cast<std::uint16_t>(1 + random.below(2));
  node.state_lag = 1 + random.below(30);
  node.flush_every = random.below(3) == 0 ? 0 : 100 + random.below(1000);
  // Otherwise a copy that begins anew reads the log from its start.
  node.log_keep_entries = random.below(3) == 0 ? 1'000'000'000 : random.below(30);
  node.piece_bytes = 200 + random.below(2000);
  node.fill_bytes_per_s = random.below(2) == 0 ? 50u << 20 : 5'000 + random.below(50'000);
  node.partition.cache_bytes = random.below(2) == 0 ? 0 : 4u << 20;
  node.partition.entry_commands_max = 1 + random.below(8);
  node.partition.waiting_max = 8 + random.below(100);
  node.partition.feed.entries_max = 1 + random.below(5);
  node.partition.feed.events_under_way = 1 + random.below(5);
  node.limits.large_group_above = node.limits.large_group_back_at = 2 + random.below(4);
  node.limits.inbox_trim_rows = 2 + random.below(20);
  if (random.below(3) == 0) node.limits.token_age_max = std::chrono::hours(0);
  auto& controller = out.node.controller;
  controller.balancer.cool_down = Millis(500);
  controller.balancer.replace_after = Millis(2000 + random.below(10'000));
  controller.flaps.first_penalty = Millis(200);
  controller.flaps.penalty_max = Millis(2000);
  controller.flaps.window = Millis(5000);
  out.node.replica.append_bytes_max = random.below(2) == 0 ? 1 : 1u << 20;
  out.node.replica.kept_bytes = random.below(2) == 0 ? 500 : 256u << 10;
  out.node.replica.mutant = options.mutant;
  out.node.node_mutant = options.node_mutant;
  out.node.never_reattaches = options.never_reattaches;
  out.apps_forget_ids = options.apps_forget_ids;
  out.node.operator_after = Millis(random.below(2) == 0 ? 0 : random.below(10'000));
  return out;
}

class Chaos {
 public:
  explicit Chaos(const ChaosOptions& options)
      : options_(options), random_(options.seed * 7919), world_(options_of(options, random_)) {
    for (unsigned f = 0; f < static_cast<unsigned>(Fault::count_); ++f)
      if (random_.below(3) == 0) kinds_.push_back(static_cast<Fault>(f));
    if (options.faults) kinds_ = *options.faults;
  }

  ChaosResult run() {
    const SteadyTime began = world_.agenda().now();
    const std::size_t nodes = 3 + (random_.below(4) == 0 ? random_.below(5) : 0);
    world_.add_node();
    if (random_.below(3) == 0) world_.run_for(Millis(1500));  // and grows from one node
    while (world_.nodes() < nodes) world_.add_node();
    Doings doings(world_, random_.next());
    if (!world_.run_until([this] { return world_.is_whole(); }, kWhole)) return result("it never became whole", doings);
    const SteadyTime end = world_.agenda().now() + options_.time;
    while (world_.agenda().now() < end && world_.wrong().empty()) {
      world_.run_for(Millis(5 + random_.below(80)));
      doings.one();
      if (!kinds_.empty() && random_.below(8) == 0) happen(kinds_[random_.below(kinds_.size())]);
    }
    doings.everybody_comes_back();
    heal();
    const bool whole = world_.run_until([this] { return world_.is_whole() && world_.clients_idle(); }, kWhole) &&
                       world_.run_until([this] { return world_.is_quiet(); }, kQuiet);
    if (!whole) return result("L: it does not become whole again", doings);
    world_.run_for(kSettle);
    ChaosResult done = result("", doings);
    // What was still on its way to a client has some more time: an idle one notices after 12 s that its node is gone.
    for (int more = 0; more < 20 && world_.wrong().empty(); ++more) {
      done.wrong = world_.verdict();
      if (done.wrong.empty()) break;
      world_.run_for(Millis(1000));
      world_.run_until([this] { return world_.is_quiet() && world_.clients_idle(); }, kQuiet);
    }
    done.simulated = std::chrono::duration_cast<Millis>(world_.agenda().now() - began);
    if (!done.wrong.empty()) done.state = world_.describe();
    return done;
  }

 private:
  ChaosResult result(const std::string& why, const Doings& doings) {
    ChaosResult done;
    done.wrong = world_.wrong();
    if (done.wrong.empty() && !why.empty()) done.wrong.push_back(why);
    if (!done.wrong.empty()) done.state = world_.describe();
    done.faults = counts_;
    done.commits = world_.commits();
    done.posts = doings.posts();
    done.seen["overtaken"] = world_.network().overtaken();
    for (std::size_t i = 0; i < world_.nodes(); ++i) {
      done.seen["snapshot"] += world_.node(i).copies_installed();
      done.seen["broken-snapshot"] += world_.node(i).copies_discarded();
      done.seen["damage-found"] += world_.node(i).damage_found();
      done.seen["quarantined"] += world_.node(i).quarantines();
    }
    for (std::size_t i = 0; i < world_.apps(); ++i) {
      done.seen["moved"] += world_.app(i).moves();
      done.seen["resumed"] += world_.app(i).resumes();
    }
    for (std::uint16_t p = 0; p < world_.partitions(); ++p)
      if (const auto row = world_.config(PartitionId(p))) done.promotions += row->epoch() - 1;
    return done;
  }

  Millis some(std::uint64_t least, std::uint64_t most) { return Millis(least + random_.below(most - least)); }
  std::size_t any() { return random_.below(world_.nodes()); }
  void later(Millis after, std::function<void()> what) { world_.agenda().after(after, std::move(what)); }
  void counted(Fault fault) { ++counts_[name_of(fault)]; }

  void take_down(Fault fault, std::size_t node, bool wipes) {
    if (!world_.node(node).is_up() || (wipes && !world_.may_lose_disk())) return;
    counted(fault);
    world_.kill(node);
    if (wipes) world_.node(node).wipe();
    later(some(20, random_.below(3) == 0 ? 4000 : 500), [this, node] { world_.start(node); });
  }

  /// It is killed, and what its disk holds is not what it was.
  /// Nobody knows of it, and so it may come to count anywhere: one at a time.
  void damage(Fault fault, std::size_t node, SimNode::Damage how) {
    if (!world_.node(node).is_up() || !world_.may_lose_disk()) return;
    world_.kill(node);
    if (world_.node(node).damage(how)) counted(fault);
    later(some(20, 500), [this, node] { world_.start(node); });
  }

  void cut(Fault fault, std::size_t a, std::size_t b, bool both) {
    const NodeId from = world_.node(a).id(), to = world_.node(b).id();
    if (from == to || from == NodeId{} || to == NodeId{}) return;
    counted(fault);
    world_.network().cut(from, to);
    if (both) world_.network().cut(to, from);
    later(some(50, 5000), [this, from, to] {
      world_.network().heal(from, to);
      world_.network().heal(to, from);
    });
  }

  void island() {
    const auto row = world_.config(PartitionId(static_cast<std::uint16_t>(random_.below(world_.partitions()))));
    const auto node = row ? world_.index_of(NodeId(row->primary().node())) : std::nullopt;
    if (!node) return;
    counted(Fault::island);
    const NodeId id = world_.node(*node).id();
    const Millis time = some(3000, 8000);
    for (std::size_t other = 0; other < world_.nodes(); ++other) separate(id, world_.node(other).id(), time);
    world_.store().cut.insert(id);
    later(time, [this, id] { world_.store().cut.erase(id); });
    for (int visitors = 0; visitors < 2; ++visitors)
      later(some(1500, 6000), [this, node] { world_.send_client(random_.below(world_.clients()), *node); });
  }

  void separate(NodeId one, NodeId other, Millis time) {
    if (one == other || other == NodeId{}) return;
    for (const auto& [from, to] : {std::pair(one, other), std::pair(other, one)}) {
      world_.network().cut(from, to);
      later(time, [this, from, to] { world_.network().heal(from, to); });
    }
  }

  void happen(Fault fault) {
    const std::size_t node = any();
    switch (fault) {
      case Fault::kill: return take_down(fault, node, false);
      case Fault::wipe: return take_down(fault, node, true);
      case Fault::kill_in_write:
        counted(fault);
        world_.node(node).node().limit().set(
            1 + random_.below(20), random_.below(2) == 0 ? WriteLimit::When::before : WriteLimit::When::after);
        return;
      case Fault::pause:
        if (!world_.node(node).is_up() || world_.node(node).is_frozen()) return;
        counted(fault);
        world_.node(node).freeze();
        return later(some(50, 4000), [this, node] { world_.node(node).thaw(); });
      case Fault::cut: return cut(fault, node, any(), true);
      case Fault::cut_one_way: return cut(fault, node, any(), false);
      case Fault::isolate:
        for (std::size_t other = 0; other < world_.nodes(); ++other) cut(fault, node, other, true);
        return;
      case Fault::island: return island();
      case Fault::reset: counted(fault); return world_.network().reset(world_.node(node).id(), world_.node(any()).id());
      case Fault::slow_network:
        counted(fault);
        world_.network().most = random_.below(2) == 0 ? Micros(400) : Micros(some(1, 60));
        return;
      case Fault::torn_tail: return damage(fault, node, SimNode::Damage::torn_tail);
      case Fault::bit_flip: return damage(fault, node, SimNode::Damage::flipped);
      case Fault::unreadable: return damage(fault, node, SimNode::Damage::unreadable);
      case Fault::disk_full:
        counted(fault);
        world_.node(node).node().set_pressure(Partition::Pressure::storage_full);
        return later(some(50, 4000),
                     [this, node] { world_.node(node).node().set_pressure(Partition::Pressure::none); });
      case Fault::disk_slow:
        counted(fault);
        world_.node(node).node().set_slow(some(10, 400));
        return later(some(100, 5000), [this, node] { world_.node(node).node().set_slow({}); });
      case Fault::disk_hangs:
        counted(fault);
        world_.node(node).node().hang_disk(true);
        return later(some(500, 8000), [this, node] { world_.node(node).node().hang_disk(false); });
      default: return happen_elsewhere(fault, node);
    }
  }

  void happen_elsewhere(Fault fault, std::size_t node) {
    SimStore& store = world_.store();
    counted(fault);
    switch (fault) {
      case Fault::store_unknown: store.faults.unknown = static_cast<unsigned>(random_.below(40)); return;
      case Fault::store_slow: store.faults.slow_lists = static_cast<unsigned>(random_.below(60)); return;
      case Fault::store_outage: store.outage = true; return later(some(100, 4000), [&store] { store.outage = false; });
      case Fault::store_cut:
        store.cut.insert(world_.node(node).id());
        return later(some(100, 5000), [&store, id = world_.node(node).id()] { store.cut.erase(id); });
      case Fault::clock:
        if (world_.node(node).wall_offset() == Millis{})
          world_.node(node).jump_clock(Millis(random_.below(9000)) - Millis(4500));
        else
          world_.node(node).jump_clock(-world_.node(node).wall_offset());
        return;
      case Fault::suspicion:
        world_.promote_falsely(PartitionId(static_cast<std::uint16_t>(random_.below(world_.partitions()))));
        return;
      case Fault::drain:
        if (failover::Controller* coordinator = world_.coordinator()) {
          const NodeId id = world_.node(node).id();
          static_cast<void>(random_.below(2) == 0 ? coordinator->drain(id) : coordinator->undrain(id));
        }
        return;
      case Fault::join:
        if (world_.nodes() < kNodesMax) world_.add_node();
        return;
      default: return;
    }
  }

  void heal() {
    SimStore& store = world_.store();
    store.outage = false;
    store.cut.clear();
    store.faults.unknown = store.faults.slow_lists = 0;
    world_.network().heal_all();
    world_.network().most = Micros(400);
    for (std::size_t i = 0; i < world_.nodes(); ++i) {
      SimNode& node = world_.node(i);
      node.jump_clock(-node.wall_offset());
      node.node().limit().clear();
      node.node().set_pressure(Partition::Pressure::none);
      node.node().set_slow({});
      node.node().hang_disk(false);
      if (node.is_frozen()) node.thaw();
      if (node.is_damaged()) replace_disk(i);
      if (node.is_dead()) world_.kill(i);
      if (!node.is_up()) world_.start(i);
    }
    undrain();
  }

  /// What nobody has read is found by whoever looks.
  void replace_disk(std::size_t node) {
    world_.kill(node);
    world_.node(node).wipe();
  }

  /// Asks until nobody drains; whoever coordinates may change meanwhile.
  void undrain() {
    if (failover::Controller* coordinator = world_.coordinator())
      for (std::size_t i = 0; i < world_.nodes(); ++i) static_cast<void>(coordinator->undrain(world_.node(i).id()));
    later(Millis(500), [this] { undrain(); });
  }

  const ChaosOptions options_;
  SeededRandom random_;
  ClusterWorld world_;
  std::vector<Fault> kinds_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace

const char* name_of(Fault fault) {
  static constexpr const char* kNames[] = {"kill",          "kill-in-write", "wipe",         "pause",     "cut",
                                           "cut-one-way",   "isolate",       "island",       "reset",     "slow-net",
                                           "store-unknown", "store-slow",    "store-outage", "store-cut", "clock",
                                           "suspicion",     "drain",         "join",         "disk-full", "disk-slow",
                                           "torn-tail",     "bit-flip",      "unreadable",   "disk-hangs"};
  return kNames[static_cast<std::size_t>(fault)];
}

ChaosResult run_chaos(const ChaosOptions& options) { return Chaos(options).run(); }

}  // namespace holdfast::sim
