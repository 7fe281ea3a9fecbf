#include "tests/sim/cluster_world.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::sim {
namespace {

constexpr Millis kPump{10}, kPatience{2500}, kStartAgain{100}, kWatchDelay{2};

}  // namespace

ClusterWorld::ClusterWorld(ClusterOptions options)
    : options_(std::move(options)),
      agenda_(options_.seed * 0x9e3779b97f4a7c15ULL + 1),
      store_(agenda_),
      network_(agenda_),
      archive_(options_.node.node.partitions),
      chains_(options_.node.node.partitions) {
  store_.on_put = [this](const std::string& key, const std::string& value) { on_put(key, value); };
  store_.on_change = [this] {
    for (const auto& node : nodes_) {
      if (store_.outage || store_.cut.contains(node->id()) || agenda_.chance(10)) continue;  // a hint, no more
      node->after(kWatchDelay, [&node = *node] {
        node.controller().hint(node.steady());
        node.carry_out();
      });
    }
  };
  pump();
}

ClusterWorld::~ClusterWorld() {
  for (Person& person : people_) person.client->lost_connection();
  apps_.clear();
  agenda_.clear();  // what was under way names nodes
}

// ------------------------------------------------------------------------------------------------ nodes

SimNode& ClusterWorld::make_node() {
  SimNodeOptions options = options_.node;
  options.name = "node-" + std::to_string(nodes_.size());
  nodes_.push_back(std::make_unique<SimNode>(
      agenda_, store_, network_, std::move(options),
      SimNode::Listener{
          .committed = [this](SimNode& by, PartitionId p, const failover::Appended& e) { on_committed(by, p, e); },
          .reattach = [this](SimNode& node, std::uint16_t door, PartitionId p) { on_reattach(node, door, p); },
          .wrong = [this](std::string what) { complain(std::move(what)); }}));
  return *nodes_.back();
}

std::size_t ClusterWorld::add_node() {
  make_node();
  start(nodes_.size() - 1);
  return nodes_.size() - 1;
}

std::size_t ClusterWorld::add_lone_node() {
  make_node().start_alone();
  return nodes_.size() - 1;
}

void ClusterWorld::live_alone(std::size_t index, const std::function<bool()>& until) {
  OneThreadNode& node = nodes_[index]->node();
  for (std::size_t steps = 0; !until(); ++steps) {
    HF_CHECK(steps < 1'000'000, "a node that is alone answers");
    for (Person& person : people_) person.client->pump();
    if (!node.step()) node.advance(Millis(10));
  }
}

void ClusterWorld::end_alone(std::size_t index) {
  SimNode& node = *nodes_[index];
  for (Person& person : people_)
    if (&person.client->node() == &node.node()) person.client->lost_connection();
  node.crash_alone();
  take_history(node.node().log_database());
}

void ClusterWorld::kill(std::size_t index) {
  SimNode& node = *nodes_[index];
  for (Person& person : people_)
    if (&person.client->node() == &node.node()) person.client->lost_connection();
  const bool told = agenda_.chance(70);
  for (const auto& app : apps_) app->node_died(node, told);
  node.crash();
}

void ClusterWorld::start(std::size_t index) {
  if (nodes_[index]->is_up() || nodes_[index]->start()) return;
  agenda_.after(kStartAgain, [this, index] { start(index); });
}

std::optional<std::size_t> ClusterWorld::index_of(NodeId node) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i]->id() == node) return i;
  return std::nullopt;
}

failover::Controller* ClusterWorld::coordinator() {
  for (const auto& node : nodes_)
    if (node->is_up() && !node->is_frozen() && node->controller().coordinates()) return &node->controller();
  return nullptr;
}

// ------------------------------------------------------------------------------------------------ time

/// Everybody does a few things, and then it is a little later.
void ClusterWorld::turn() {
  bool more = false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    SimNode& node = *nodes_[i];
    if (node.has_work()) {
      for (auto steps = agenda_.random().below(options_.steps_max); steps > 0 && node.step(); --steps) {
      }
    }
    if (node.is_dead()) {
      kill(i);
      agenda_.after(agenda_.between(Millis(20), Millis(1500)), [this, i] { start(i); });
    }
    more |= node.has_work();
  }
  const SteadyTime soon = agenda_.now() + agenda_.between(Micros(50), Millis(1));
  agenda_.run_until(more ? std::min(soon, std::max(agenda_.next(), agenda_.now())) : agenda_.next());
  if (more && agenda_.next() > soon) agenda_.run_until(soon);
}

void ClusterWorld::run_for(Millis time) {
  for (const SteadyTime end = agenda_.now() + time; agenda_.now() < end && wrong_.empty();) turn();
}

bool ClusterWorld::run_until(const std::function<bool()>& done, Millis within) {
  const SteadyTime end = agenda_.now() + within;
  for (SteadyTime look = agenda_.now(); agenda_.now() < end && wrong_.empty(); turn()) {
    if (agenda_.now() < look) continue;
    if (done()) return true;
    look = agenda_.now() + Millis(20);
  }
  return wrong_.empty() && done();
}

// ------------------------------------------------------------------------------------------------ clients

SimClient& ClusterWorld::add_client(SimClient::Options options) {
  SimNode& node = *nodes_[agenda_.random().below(nodes_.size())];
  options.door = static_cast<std::uint16_t>(agenda_.random().below(options_.node.node.doors));
  Person& person = people_.emplace_back();
  person.client = std::make_unique<SimClient>(node.node(), history_, std::move(options));
  person.since = agenda_.now();
  return *person.client;
}

SimNode* ClusterWorld::node_at(const client::Endpoint& endpoint) {
  const auto at = std::ranges::find_if(nodes_, [&](const auto& node) { return node->name() == endpoint.host; });
  return at == nodes_.end() ? nullptr : at->get();
}

App& ClusterWorld::add_app(std::string username) {
  App::Options options{.username = std::move(username),
                       .endpoints = {{nodes_[agenda_.random().below(nodes_.size())]->name(), 2}},
                       .doors = options_.node.node.doors,
                       .forgets_ids = options_.apps_forget_ids};
  apps_.push_back(std::make_unique<App>(
      agenda_, front_, history_, [this](const client::Endpoint& endpoint) { return node_at(endpoint); },
      std::move(options)));
  return *apps_.back();
}

void ClusterWorld::pump() {
  for (Person& person : people_) pump(person);
  agenda_.after(kPump, [this] { pump(); });
}

void ClusterWorld::pump(Person& person) {
  SimClient& client = *person.client;
  if (!client.node().is_running()) {
    client.lost_connection();  // it may have died a moment ago
    go_elsewhere(client);
  } else if (client.is_idle() || client.heard() != person.heard) {
    person.heard = client.heard();
    person.since = agenda_.now();
  } else if (agenda_.now() - person.since > kPatience) {
    client.leave();
    client.come_back();
    go_elsewhere(client);
    person.since = agenda_.now();
  }
  client.pump();
}

void ClusterWorld::go_elsewhere(SimClient& client) {
  const auto to = agenda_.random().below(nodes_.size());
  if (!nodes_[to]->is_up()) return;
  client.move_to(nodes_[to]->node(), static_cast<std::uint16_t>(agenda_.random().below(options_.node.node.doors)));
}

void ClusterWorld::send_client(std::size_t client, std::size_t node) {
  SimClient& who = *people_[client].client;
  if (!nodes_[node]->is_up() || !who.is_online() || !who.node().is_running()) return;
  who.leave();
  who.come_back();
  who.move_to(nodes_[node]->node(), static_cast<std::uint16_t>(agenda_.random().below(options_.node.node.doors)));
}

void ClusterWorld::on_reattach(SimNode& node, std::uint16_t door, PartitionId partition) {
  for (Person& person : people_) {
    SimClient& client = *person.client;
    if (&client.node() == &node.node() && client.door() == door &&
        partition_of(client.user(), partitions()) == partition)
      client.reattach();
  }
  for (const auto& app : apps_) app->reattach(node, door, partition);
}

}  // namespace holdfast::sim
