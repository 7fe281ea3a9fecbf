/// Worker: as one of several nodes. Commands go to primaries anywhere, replicas talk to each other, and the cluster's
/// news reach the copies here.
#include <spdlog/spdlog.h>
#include <boost/asio/steady_timer.hpp>

#include "base/check.h"
#include "server/cluster.h"
#include "server/damage.h"
#include "server/peer_frames.h"
#include "server/worker.h"
#include "server/worker_loop.h"

namespace holdfast {

void Worker::join_cluster() {
  router_ = std::make_unique<Router>(shared_.self, shared_.partitions, random_.next(), Router::Options());
  snapshots_ = std::make_unique<Snapshots>(
      SnapshotsHost{.copy = [this](PartitionId partition) -> Copy& { return touch(partition); },
                    .send = [this](NodeId to, const peer::Frame& frame) { shared_.cluster->send(to, frame); },
                    .blocking = [this](std::function<void()> job) { shared_.filling(std::move(job)); },
                    .call = [this](std::function<void()> then) { call(std::move(then)); },
                    .replaced = [this](PartitionId partition, Seq seq) { shared_.state->replaced(partition, seq); },
                    .lower_floor = shared_.lower_floor,
                    .now = steady_now,
                    .log = shared_.log_database,
                    .state = shared_.state_database,
                    .rate = shared_.fill_rate,
                    .first_id = static_cast<std::uint64_t>(to_ms(wall_now())) << 20});
}

// ------------------------------------------------------------------------------------------------ commands

/// What the router wants asked, and what it has an answer to.
void Worker::route() {
  if (!router_) return;
  for (Router::Ask& ask : router_->take_asks()) {
    if (ask.to != shared_.self) {
      const NodeId to = ask.to;
      shared_.cluster->send(to, peers::ask(index_, std::move(ask)));
      continue;
    }
    Worker& owner = shared_.worker_of(ask.partition);
    if (&owner == this)
      submit_ask(shared_.self, index_, std::move(ask));
    else
      to(owner, mail::Ask{std::move(ask), index_});
  }
  for (auto& [then, answer] : router_->take_answers()) then(std::move(answer));
  if (router_->wants_tick() && !std::exchange(router_timer_set_, true)) {
    loop_->router_timer.expires_after(Router::Options().again);
    loop_->router_timer.async_wait([this](const error_code& error) {
      router_timer_set_ = false;
      if (error) return;
      router_->tick(steady_now());
      want_turn();
    });
  }
}

/// A command for a partition of this worker, whoever asks.
void Worker::submit_ask(NodeId from, std::uint32_t worker, Router::Ask ask) {
  const Routes::From asker{from, worker, ask.partition};
  Copy& copy = touch(ask.partition);
  const bool taken = routes_.takes(asker, ask.life, ask.route, ask.index);
  // Refused now, and not when the answer goes out: the copy may lead by then, and what is behind would be taken.
  if (taken && !copy.takes_commands()) routes_.refused(asker, ask.life, ask.route);
  if (!taken || !copy.takes_commands()) return answer_ask(from, worker, ask.id, ask.route, elsewhere());
  copy.submit(std::move(ask.command),
              [this, asker, id = ask.id, life = ask.life, route = ask.route](command::Answer answer) {
                if (answer.elsewhere()) routes_.refused(asker, life, route);
                answer_ask(asker.node, asker.worker, id, route, std::move(answer));
              });
}

void Worker::answer_ask(NodeId node, std::uint32_t worker, std::uint64_t id, std::uint64_t route,
                        command::Answer answer) {
  if (node == shared_.self) {
    if (worker == index_)
      router_->answered(id, route, std::move(answer));
    else
      to(*shared_.workers[worker], mail::Answered{id, route, std::move(answer)});
    return;
  }
  shared_.cluster->send(node, peers::answer(worker, id, route, std::move(answer)));
}

// ------------------------------------------------------------------------------------------------ from other nodes

void Worker::receive_peer(mail::FromPeer& mail) {
  peer::Frame& frame = *mail.frame;
  const NodeId from = mail.from.node;
  const auto partition = [](std::uint32_t number) { return PartitionId(static_cast<std::uint16_t>(number)); };
  switch (frame.what_case()) {
    case peer::Frame::kReplication:
      if (snapshots_->received(mail.from, *frame.mutable_replication())) return;
      return touch(partition(frame.replication().partition())).replica().received(mail.from, frame.replication());
    case peer::Frame::kAsk:
      return submit_ask(from, frame.ask().worker(), peers::ask(shared_.self, std::move(*frame.mutable_ask())));
    case peer::Frame::kAnswer:
      return router_->answered(frame.answer().id(), frame.answer().route(),
                               std::move(*frame.mutable_answer()->mutable_answer()));
    case peer::Frame::kAttach:
      if (const auto attach = peers::attach(from, frame.attach()))
        serve(partition_of(attach->user, shared_.partitions), [&](Partition& here) { here.attach(*attach); });
      return;
    case peer::Frame::kDetach:
      if (const auto user = UserId::from_bytes(frame.detach().user()))
        serve(partition_of(*user, shared_.partitions),
              [&](Partition& here) { here.detach(*user, peers::connection(from, frame.detach().connection())); });
      return;
    case peer::Frame::kCredit:
      if (const auto user = UserId::from_bytes(frame.credit().user()))
        serve(partition_of(*user, shared_.partitions), [&](Partition& here) {
          here.give_credit(peers::connection(from, frame.credit().connection()), frame.credit().bytes());
        });
      return;
    case peer::Frame::kWatch:
      return serve(partition(frame.watch().partition()), [&](Partition& here) {
        here.watch_presence(peers::connection(from, frame.watch().watcher()), peers::users(frame.watch().users()));
      });
    case peer::Frame::kTell:
      if (const auto tell = peers::tell(frame.tell()))
        serve(partition(frame.tell().partition()), [&](Partition& here) { here.tell(*tell); });
      return;
    default: return;
  }
}

void Worker::deliver_from_peer(const peer::Frame& frame) {
  std::vector<chat::Delivery> mine;
  for (const auto& one : frame.deliver().all()) {
    if (one.connection().worker() != index_) continue;
    if (auto delivery = peers::delivery(one)) mine.push_back(std::move(*delivery));
  }
  if (!mine.empty()) gateway_->deliver(std::move(mine));
}

/// Lost where there is no link: who relies on it finds out otherwise.
void Worker::send_to_peer(NodeId node, const peer::Frame& frame) { shared_.cluster->send(node, frame); }

// ------------------------------------------------------------------------------------------------ replicas

void Worker::send_replication(PartitionId partition, Copy::Ready& ready) {
  for (auto& [node, message] : ready.messages) {
    peer::Frame frame;
    frame.mutable_replication()->Swap(&message);
    shared_.cluster->send(node, frame);
  }
  for (const auto& wanted : ready.copies_log) read_copies_log(partition, wanted);
  for (const NodeId node : ready.snapshots) snapshots_->wanted(partition, node);
  if (ready.reconfiguration) shared_.cluster->reconfigure(*ready.reconfiguration);
  if (ready.trouble.empty()) return;
  spdlog::critical("quarantined partition={} why='{}'", partition.value, ready.trouble);
  shared_.quarantined[partition.value] = true;
}

void Worker::read_copies_log(PartitionId partition, failover::Replica::LogWanted wanted) {
  shared_.blocking([this, partition, wanted] {
    failover::Replica::LogPage page{.node = wanted.node,
                                    .previous = Seq(wanted.from.value - 1),
                                    .previous_epoch = {},
                                    .previous_chain = {},
                                    .entries = {}};
    auto raw = shared_.log->read_raw(partition, wanted.from, 1u << 20);
    if (!raw && raw.error().code != Errc::not_found)
      return call([this, partition, page, error = raw.error()] {
        // Who leads reads its own log; who led may find another one in its place.
        const failover::Role role = copy(partition).replica().role();
        if (role == failover::Role::primary || role == failover::Role::candidate) end_for_damage(error, true);
        spdlog::info("read_came_late partition={} why='{}'", partition.value, error.message);
        touch(partition).replica().log_read(page);
      });
    if (raw) {
      page.previous_epoch = raw->previous_epoch;
      page.previous_chain = raw->previous_chain;
      page.entries = std::move(raw->entries);
    }
    send(mail::CopiesLog{partition, std::move(page)});
  });
}

// ------------------------------------------------------------------------------------------------ news of the cluster

void Worker::receive_news(Mail& mail) {
  if (auto* ask = std::get_if<mail::Ask>(&mail)) return submit_ask(shared_.self, ask->from, std::move(ask->ask));
  if (auto* answered = std::get_if<mail::Answered>(&mail))
    return router_->answered(answered->id, answered->route, std::move(answered->answer));
  if (auto* from_peer = std::get_if<mail::FromPeer>(&mail)) return receive_peer(*from_peer);
  if (const auto* deliver = std::get_if<mail::DeliverFromPeer>(&mail)) return deliver_from_peer(*deliver->frame);
  if (const auto* news = std::get_if<mail::Link>(&mail)) return link(*news);
  if (const auto* news = std::get_if<mail::Configured>(&mail)) return configured(*news);
  if (const auto* news = std::get_if<mail::Reconfigured>(&mail))
    return touch(news->partition).replica().reconfigured(news->compared, news->outcome);
  if (const auto* news = std::get_if<mail::HandOff>(&mail)) {
    touch(news->partition).replica().hand_off(news->epoch, news->to);
    return;
  }
  if (const auto* news = std::get_if<mail::Reattach>(&mail)) {
    if (news->ask_again) router_->ask_again(news->partition);
    return gateway_->reattach(news->partition);
  }
  if (const auto* news = std::get_if<mail::Nodes>(&mail)) return gateway_->set_nodes(news->nodes, shared_.self);
  if (const auto* news = std::get_if<mail::StandAside>(&mail)) return gateway_->stand_aside(news->aside);
  if (auto* read = std::get_if<mail::CopiesLog>(&mail))
    return touch(read->partition).replica().log_read(std::move(read->page));
  for (Slot& slot : slots_) {
    if (!slot.copy) continue;
    failover::Replica& replica = touch(slot.copy->id()).replica();
    if (const auto* news = std::get_if<mail::Gone>(&mail)) replica.gone(news->node, news->gone);
    if (const auto* news = std::get_if<mail::HeldBack>(&mail)) replica.held_back(news->nodes);
  }
}

void Worker::link(const mail::Link& link) {
  router_->set_link(link.peer.node, link.up);
  snapshots_->link(link.peer, link.up);
  for (Slot& slot : slots_) {
    if (!slot.copy) continue;
    Copy& copy = touch(slot.copy->id());
    if (link.up) {
      copy.replica().link_up(link.peer);
    } else {
      copy.replica().link_down(link.peer.node);
      if (Partition* serving = copy.serving()) serving->detach_node(link.peer.node);
    }
  }
}

void Worker::configured(const mail::Configured& news) {
  if (slots_[news.partition.value].copy) touch(news.partition).replica().configured(*news.row);
  const log::PartitionConfig& config = news.row->config;
  if (router_) router_->set_primary(news.partition, NodeId(config.primary().node()), Epoch(config.epoch()));
}

/// Others are to know what is served here, and that it was certain a moment ago.
void Worker::publish_serving(Copy& copy, SteadyTime now) {
  const PartitionId id = copy.id();
  const std::uint64_t epoch = copy.served_epoch().value;
  if (epoch != 0) shared_.confirm(id, copy.certain_at(now));
  if (shared_.serves[id.value].exchange(epoch) != epoch && epoch != 0 && shared_.cluster) shared_.cluster->opened();
}

}  // namespace holdfast
