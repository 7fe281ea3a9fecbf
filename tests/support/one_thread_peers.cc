/// OneThreadNode as one of several: what server/worker_peers.cc is to a Worker, in the same order.
#include "base/check.h"
#include "server/gateway/session.h"
#include "server/peer_frames.h"
#include "tests/support/one_thread_running.h"

namespace holdfast {

void OneThreadNode::join(const std::vector<RecoveredPartition>& recovered, OneThreadJoined joined) {
  HF_CHECK(!running_, "a node is started once");
  running_ = std::make_unique<Running>(log_database_, options_);
  Running& r = *running_;
  r.keys = joined.keys;
  r.joined.emplace(std::move(joined));
  r.serves.resize(options_.partitions);
  r.confirmed.resize(options_.partitions);
  r.routing.resize(places());
  for (std::size_t place = 0; place < committer(); ++place)
    r.routers.push_back(
        std::make_unique<Router>(r.joined->self.node, options_.partitions, r.joined->first_route, Router::Options()));
  add_copies(recovered, r.joined->self, r.joined->replica);
  if (is_dead()) return;
  for (std::uint16_t p = 0; p < options_.partitions; ++p) r.snapshots.push_back(make_snapshots(p));
  tick();
}

// ------------------------------------------------------------------------------------------------ commands

void OneThreadNode::wake_router(std::size_t place) {
  if (!running_->routing[place]) running_->routes.push_back(place);
  running_->routing[place] = true;
}

/// What the router of a place wants asked, and what it has an answer to.
void OneThreadNode::route_one(std::size_t pick) {
  Running& r = *running_;
  const std::size_t place = r.routes[pick];
  r.routes.erase(r.routes.begin() + static_cast<std::ptrdiff_t>(pick));
  r.routing[place] = false;
  Router& router = *r.routers[place];
  for (Router::Ask& ask : router.take_asks()) {
    if (ask.to == r.joined->self.node) {
      send(place, ask.partition.value, [this, place, ask = std::move(ask)] {
        submit_ask(running_->joined->self.node, static_cast<std::uint32_t>(place), ask);
      });
      continue;
    }
    const NodeId to = ask.to;
    r.joined->around->send(to, peers::ask(static_cast<std::uint32_t>(place), std::move(ask)));
  }
  for (auto& [then, answer] : router.take_answers()) then(std::move(answer));
}

void OneThreadNode::submit_ask(NodeId from, std::uint32_t worker, Router::Ask ask) {
  Running& r = *running_;
  const Routes::From asker{from, worker, ask.partition};
  Copy& copy = touch(ask.partition);
  if (r.joined->mutant != NodeMutant::no_refused_routes) {
    const bool taken = r.asked_by.takes(asker, ask.life, ask.route, ask.index);
    if (taken && !copy.takes_commands()) r.asked_by.refused(asker, ask.life, ask.route);
    if (!taken || !copy.takes_commands())
      return answer_ask(from, worker, ask.partition, ask.id, ask.route, elsewhere());
  }
  if (r.joined->mutant == NodeMutant::one_source_for_all && ask.command.has_source())
    ask.command.mutable_source()->set_subscriber("any");
  const std::string post = ask.command.request().post().client_message_id();
  copy.submit(std::move(ask.command),
              [this, asker, post, id = ask.id, life = ask.life, route = ask.route](command::Answer answer) {
                if (!post.empty() && answer.frame().has_error())
                  refused_posts_.insert(post);  // whoever asked may be dead by now
                if (answer.elsewhere()) running_->asked_by.refused(asker, life, route);
                answer_ask(asker.node, asker.worker, asker.partition, id, route, std::move(answer));
              });
}

void OneThreadNode::answer_ask(NodeId to, std::uint32_t worker, PartitionId by, std::uint64_t id, std::uint64_t route,
                               command::Answer answer) {
  if (to == running_->joined->self.node) {
    return send(by.value, worker, [this, worker, id, route, answer = std::move(answer)] {
      running_->routers[worker]->answered(id, route, answer);
      wake_router(worker);
    });
  }
  running_->joined->around->send(to, peers::answer(worker, id, route, std::move(answer)));
}

bool OneThreadNode::to_other_node(std::size_t from, PartitionId partition,
                                  const std::function<void(peer::Frame&)>& fill) {
  if (!running_->joined) return false;
  const NodeId primary = running_->routers[from]->primary(partition);
  if (primary == running_->joined->self.node) return false;
  peer::Frame frame;
  fill(frame);
  running_->joined->around->send(primary, std::move(frame));
  return true;
}

// ------------------------------------------------------------------------------------------------ from other nodes

/// What concerns a partition goes to its place, what concerns a connection to its door's.
void OneThreadNode::from_peer(failover::Member from, std::shared_ptr<const peer::Frame> frame) {
  const auto to_place = [&](std::size_t place) {
    send(surroundings(), place, [this, from, place, frame] { receive(from, place, *frame); });
  };
  const auto to = peers::destination(*frame, options_.partitions);
  HF_CHECK(to, "nodes agree on the partitions");
  if (const auto* partition = std::get_if<PartitionId>(&*to)) return to_place(partition->value);
  if (const auto* one = std::get_if<peers::OneWorker>(&*to)) return to_place(one->worker);
  if (std::holds_alternative<peers::AllWorkers>(*to))
    for (std::uint16_t door = 0; door < options_.doors; ++door) to_place(door_place(door));
}

void OneThreadNode::receive(const failover::Member& from, std::size_t place, const peer::Frame& frame) {
  const NodeId node = from.node;
  const auto serve = [&](const std::function<void(Partition&)>& what) {
    if (Partition* here = touch(PartitionId(static_cast<std::uint16_t>(place))).serving()) what(*here);
  };
  switch (frame.what_case()) {
    case peer::Frame::kReplication: {
      peer::Replication message = frame.replication();
      if (running_->snapshots[place]->received(from, message)) return;
      return touch(PartitionId(static_cast<std::uint16_t>(place))).replica().received(from, message);
    }
    case peer::Frame::kAsk:
      return submit_ask(node, frame.ask().worker(), peers::ask(running_->joined->self.node, frame.ask()));
    case peer::Frame::kAnswer:
      running_->routers[place]->answered(frame.answer().id(), frame.answer().route(), frame.answer().answer());
      return wake_router(place);
    case peer::Frame::kAttach:
      return serve([&](Partition& here) { here.attach(*peers::attach(node, frame.attach())); });
    case peer::Frame::kDetach:
      return serve([&](Partition& here) {
        here.detach(*UserId::from_bytes(frame.detach().user()), peers::connection(node, frame.detach().connection()));
      });
    case peer::Frame::kCredit:
      return serve([&](Partition& here) {
        here.give_credit(peers::connection(node, frame.credit().connection()), frame.credit().bytes());
      });
    case peer::Frame::kWatch:
      return serve([&](Partition& here) {
        here.watch_presence(peers::connection(node, frame.watch().watcher()), peers::users(frame.watch().users()));
      });
    case peer::Frame::kTell: return serve([&](Partition& here) { here.tell(*peers::tell(frame.tell())); });
    case peer::Frame::kDeliver:
      for (const auto& one : frame.deliver().all()) {
        if (door_place(static_cast<std::uint16_t>(one.connection().worker())) != place) continue;
        const auto delivery = peers::delivery(one);
        const auto at = connections_.find(
            gateway::connection_of(std::visit([](const auto& d) { return d.connection; }, *delivery)));
        if (at == connections_.end()) continue;
        const auto on_delivery = at->second;  // it may disconnect
        on_delivery(*delivery);
      }
      return;
    default: return;
  }
}

// ------------------------------------------------------------------------------------------------ replicas

void OneThreadNode::replicate(PartitionId id, Copy::Ready& ready) {
  Surroundings& around = *running_->joined->around;
  for (auto& [node, message] : ready.messages) {
    peer::Frame frame;
    frame.mutable_replication()->Swap(&message);
    around.send(node, std::move(frame));
  }
  for (const auto& wanted : ready.copies_log) read_copies_log(id, wanted);
  for (const NodeId node : ready.snapshots) running_->snapshots[id.value]->wanted(id, node);
  if (ready.reconfiguration) {
    send(id.value, surroundings(),
         [this, wanted = *ready.reconfiguration] { running_->joined->around->reconfigure(wanted); });
  }
  if (!ready.trouble.empty()) around.quarantined(id, ready.trouble);
}

void OneThreadNode::read_copies_log(PartitionId id, failover::Replica::LogWanted wanted) {
  later([this, id, wanted] {
    failover::Replica::LogPage page{.node = wanted.node,
                                    .previous = Seq(wanted.from.value - 1),
                                    .previous_epoch = {},
                                    .previous_chain = {},
                                    .entries = {}};
    auto raw = running_->log.read_raw(id, wanted.from, 1 + random_.below(16 << 10));
    const bool read = is_read(raw);
    HF_CHECK(read || is_dead() || raw.error().code == Errc::not_found, "the log can be read");
    if (read) {
      page.previous_epoch = raw->previous_epoch;
      page.previous_chain = raw->previous_chain;
      page.entries = std::move(raw->entries);
    }
    later([this, id, page = std::move(page)] { touch(id).replica().log_read(page); });
  });
}

std::unique_ptr<Snapshots> OneThreadNode::make_snapshots(std::uint16_t place) {
  return std::make_unique<Snapshots>(
      SnapshotsHost{.copy = [this](PartitionId id) -> Copy& { return touch(id); },
                    .send = [this](NodeId to, const peer::Frame& frame) { running_->joined->around->send(to, frame); },
                    .blocking = [this](std::function<void()> job) { running_->filling.push_back(std::move(job)); },
                    .call = [this, place](std::function<void()> then) { send(filler(), place, std::move(then)); },
                    .replaced =
                        [this](PartitionId id, Seq seq) {
                          running_->applied[id.value] = seq;
                          ++(seq == Seq{} ? copies_discarded_ : copies_installed_);
                        },
                    .lower_floor = [this](PartitionId id, Seq seq) -> Status {
                      lower_floor(id, seq);
                      return Ok{};
                    },
                    .now = [this] { return steady_; },
                    .log = &log_database_,
                    .state = &state_database_,
                    .rate = &running_->fill_rate,
                    .first_id = static_cast<std::uint64_t>(to_ms(wall_)) << 20,
                    .piece_bytes = options_.piece_bytes});
}

// ------------------------------------------------------------------------------------------------ news of the cluster

void OneThreadNode::link(failover::Member peer, bool up) {
  for (std::size_t place = 0; place < committer(); ++place) {
    send(surroundings(), place, [this, place, peer, up] {
      running_->routers[place]->set_link(peer.node, up);
      wake_router(place);
      if (place >= options_.partitions) return;
      running_->snapshots[place]->link(peer, up);
      Copy& copy = touch(PartitionId(static_cast<std::uint16_t>(place)));
      if (up) return copy.replica().link_up(peer);
      copy.replica().link_down(peer.node);
      if (Partition* serving = copy.serving()) serving->detach_node(peer.node);
    });
  }
}

void OneThreadNode::gone(NodeId node, bool is_gone) {
  for (std::uint16_t p = 0; p < options_.partitions; ++p)
    send(surroundings(), p, [this, p, node, is_gone] { touch(PartitionId(p)).replica().gone(node, is_gone); });
}

void OneThreadNode::held_back(const std::set<NodeId>& nodes) {
  for (std::uint16_t p = 0; p < options_.partitions; ++p)
    send(surroundings(), p, [this, p, nodes] { touch(PartitionId(p)).replica().held_back(nodes); });
}

void OneThreadNode::configured(PartitionId partition, const failover::PartitionRow& row) {
  for (std::size_t place = 0; place < committer(); ++place) {
    send(surroundings(), place, [this, place, partition, row] {
      if (place == partition.value) touch(partition).replica().configured(row);
      running_->routers[place]->set_primary(partition, NodeId(row.config.primary().node()), Epoch(row.config.epoch()));
      wake_router(place);
    });
  }
}

void OneThreadNode::reconfigured(PartitionId partition, std::uint64_t compared, failover::Outcome outcome) {
  send(surroundings(), partition.value,
       [this, partition, compared, outcome] { touch(partition).replica().reconfigured(compared, outcome); });
}

void OneThreadNode::hand_off(PartitionId partition, Epoch epoch, NodeId to) {
  send(surroundings(), partition.value,
       [this, partition, epoch, to] { touch(partition).replica().hand_off(epoch, to); });
}

void OneThreadNode::reattach(PartitionId partition, bool ask_again) {
  for (std::size_t place = 0; ask_again && place < committer(); ++place)
    send(surroundings(), place, [this, place, partition] {
      running_->routers[place]->ask_again(partition);
      wake_router(place);
    });
  for (std::uint16_t door = 0; door < options_.doors; ++door)
    send(surroundings(), door_place(door),
         [this, door, partition] { running_->joined->around->reattach(door, partition); });
}

// ------------------------------------------------------------------------------------------------ time

void OneThreadNode::tick() {
  for (const auto& copy : running_->copies) {
    touch(copy->id()).tick(steady_, wall_);
    publish_serving(*copy);
  }
  for (std::size_t place = 0; place < committer(); ++place) {
    running_->routers[place]->tick(steady_);
    if (running_->routers[place]->has_output()) wake_router(place);
  }
  for (const auto& snapshots : running_->snapshots) snapshots->tick();
}

void OneThreadNode::tick_routers() {
  for (std::size_t place = 0; place < committer(); ++place) {
    if (!running_->routers[place]->wants_tick()) continue;
    running_->routers[place]->tick(steady_);
    wake_router(place);
  }
}

void OneThreadNode::publish_serving(Copy& copy) {
  const PartitionId id = copy.id();
  const std::uint64_t epoch = copy.served_epoch().value;
  if (epoch != 0) confirm(id, copy.certain_at(steady_));
  if (std::exchange(running_->serves[id.value], epoch) != epoch && epoch != 0) running_->joined->around->opened();
}

std::uint64_t OneThreadNode::serves(PartitionId partition) const { return running_->serves[partition.value]; }
std::set<PartitionId> OneThreadNode::quarantined() const {
  std::set<PartitionId> found;
  for (const auto& copy : running_->copies)
    if (copy->replica().role() == failover::Role::quarantined) found.insert(copy->id());
  return found;
}
SteadyTime OneThreadNode::confirmed_at(PartitionId partition) const { return running_->confirmed[partition.value]; }
void OneThreadNode::confirm(PartitionId partition, SteadyTime at) { running_->confirmed[partition.value] = at; }

}  // namespace holdfast
