/// Cluster: the other nodes. Links, who serves what, giving away the lead, backups that one asks another for.
#include <spdlog/spdlog.h>

#include "failover/io/peer_hello.h"
#include "server/backups.h"
#include "server/cluster_impl.h"
#include "server/peer_frames.h"

namespace holdfast {
namespace {

constexpr std::chrono::milliseconds kConfirm{250};
constexpr std::chrono::seconds kBackupAnswerMax{8};

}  // namespace

// ------------------------------------------------------------------------------------------------ links

failover::PeerHandlers Cluster::Impl::handlers() {
  return {.on_up = [this](const peer::Hello& hello) { on_up(hello); },
          .on_down = [this](NodeId node, failover::LinkDown how) { on_down(node, how); },
          .on_frame = [this](const failover::Member& from,
                             std::unique_ptr<peer::Frame> frame) { on_frame(from, std::move(frame)); },
          .on_refused = {}};
}

void Cluster::Impl::to_all(const std::function<Mail()>& mail) {
  for (Worker* worker : shared.workers) worker->send(mail());
}

void Cluster::Impl::on_up(const peer::Hello& hello) {
  const failover::Member member = failover::member_of(hello);
  confirmations.link_up(member, hello.boot_id());
  to_all([&] { return mail::Link{member, true}; });
  controller->link_up(member.node, BootId::from_bytes(hello.boot_id()).value_or(BootId{}), steady_now());
  carry_out();
  confirm();
}

void Cluster::Impl::on_down(NodeId node, failover::LinkDown how) {
  if (confirmations.link_down(node)) to_all([&] { return mail::Link{*confirmations.met(node), false}; });
  controller->link_down(node, how, steady_now());
  carry_out();
}

/// What concerns a partition goes to its worker, what concerns a connection to the worker that has it.
void Cluster::Impl::on_frame(const failover::Member& from, std::unique_ptr<peer::Frame> frame) {
  const auto to = peers::destination(*frame, shared.partitions);
  if (!to) return;
  if (std::holds_alternative<peers::ClusterItself>(*to)) return on_own_frame(from.node, *frame);
  if (!confirmations.met(from.node)) return;  // nothing could be answered
  if (const auto* partition = std::get_if<PartitionId>(&*to))
    return shared.worker_of(*partition).send(mail::FromPeer{from, std::move(frame)});
  if (const auto* one = std::get_if<peers::OneWorker>(&*to)) {
    if (one->worker < shared.workers.size()) shared.workers[one->worker]->send(mail::FromPeer{from, std::move(frame)});
    return;
  }
  const std::shared_ptr<const peer::Frame> all(std::move(frame));
  to_all([&] { return mail::DeliverFromPeer{all}; });
}

void Cluster::Impl::on_own_frame(NodeId from, peer::Frame& frame) {
  if (frame.has_confirm()) {
    confirmations.received(from, frame.confirm(), steady_now());
    return take_confirmations();
  }
  if (frame.has_backup_ask()) return on_backup_ask(from, frame.backup_ask());
  if (frame.has_backup_answer()) return on_backup_answer(from, *frame.mutable_backup_answer());
  if (frame.has_beat()) told.beats[from] = frame.beat();
  controller->received(from, frame, steady_now());
  carry_out();
}

/// Everybody is told which partitions are served here, and since when that was certain.
void Cluster::Impl::confirm() {
  const SteadyTime now = steady_now();
  next_confirm = now + kConfirm;
  std::vector<Confirmations::Served> served;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) {
    const Epoch epoch(shared.serves[p].load(std::memory_order_relaxed));
    if (epoch != Epoch{}) served.push_back({PartitionId(p), epoch, shared.confirmed_at(PartitionId(p))});
  }
  for (const auto& [to, frame] : confirmations.say(served, now)) links.send(to, frame);
  take_confirmations();
}

void Cluster::Impl::take_confirmations() {
  const Confirmations::Ready ready = confirmations.take_ready();
  for (const auto& [partition, at] : ready.certain) shared.confirm(partition, at);
  for (const auto& [partition, ask_again] : ready.reattach)
    to_all([&] { return mail::Reattach{partition, ask_again}; });
}

// ------------------------------------------------------------------------------------------------ backups

void Cluster::Impl::ask_backup(NodeId node, peer::BackupAsk ask, std::function<void(Result<std::string>)> then) {
  const std::uint64_t id = next_backup_ask++;
  ask.set_id(id);
  peer::Frame frame;
  *frame.mutable_backup_ask() = std::move(ask);
  if (!links.send(node, frame))
    return then(Error{Errc::retry_later, "there is no link to node " + std::to_string(node.value)});
  backup_asks.emplace(id, BackupAsked{node, steady_now() + kBackupAnswerMax, std::move(then)});
}

void Cluster::Impl::on_backup_ask(NodeId from, const peer::BackupAsk& ask) {
  shared.backups->carry_out(ask, [this, from, id = ask.id()](Result<std::string> done) {
    peer::Frame frame;
    peer::BackupAnswer& answer = *frame.mutable_backup_answer();
    answer.set_id(id);
    if (done) answer.set_body(std::move(*done));
    if (!done) answer.set_error(static_cast<std::uint32_t>(done.error().code) + 1);
    if (!done) answer.set_message(done.error().message);
    links.send(from, frame);
  });
}

void Cluster::Impl::on_backup_answer(NodeId from, peer::BackupAnswer& answer) {
  const auto asked = backup_asks.find(answer.id());
  if (asked == backup_asks.end() || asked->second.node != from) return;
  const auto then = std::move(asked->second.then);
  backup_asks.erase(asked);
  if (answer.error() == 0) return then(std::move(*answer.mutable_body()));
  const bool known = answer.error() <= static_cast<std::uint32_t>(Errc::outcome_unknown) + 1;
  then(Error{known ? static_cast<Errc>(answer.error() - 1) : Errc::io, answer.message()});
}

void Cluster::Impl::give_up_backup_asks(SteadyTime now) {
  for (auto at = backup_asks.begin(); at != backup_asks.end();) {
    if (now < at->second.until) {
      ++at;
      continue;
    }
    const auto then = std::move(at->second.then);
    const NodeId node = at->second.node;
    at = backup_asks.erase(at);
    then(Error{Errc::retry_later, "node " + std::to_string(node.value) + " does not answer"});
  }
}

// ------------------------------------------------------------------------------------------------ giving away the lead

void Cluster::Impl::offer(HandOver& giving, const std::function<bool(NodeId)>& may_take) {
  std::vector<Epoch> serves;
  for (std::uint16_t p = 0; p < shared.partitions; ++p) serves.emplace_back(shared.serves[p].load());
  const auto can_take = [&](NodeId node, PartitionId partition) {
    const bool sound = !controller->detector().quarantined(node, partition);
    return sound && confirmations.reaches(node) && !leaving.contains(node) && may_take(node);
  };
  for (const auto& [partition, epoch, heir] :
       giving.next(serves, controller->view().partitions(), can_take, steady_now()))
    shared.worker_of(partition).send(mail::HandOff{partition, epoch, heir});
}

void Cluster::Impl::hand_over_some() {
  const SteadyTime now = steady_now();
  HandOver& giving = hand_over->hand_over;
  offer(giving, [](NodeId) { return true; });
  if (!giving.is_over(now)) return;
  if (giving.left() > 0) spdlog::warn("hand_over_overdue partitions={}", giving.left());
  const auto done = std::move(hand_over->done);
  hand_over.reset();
  done();
}

/// A living node can't be reached from here: what we lead goes to those who are heard by all, and our clients too.
void Cluster::Impl::stand_aside(bool aside) {
  if (aside == standing_aside.has_value()) return;
  spdlog::warn("stands_aside is={}", aside);
  standing_aside.reset();
  if (aside) standing_aside.emplace(SteadyTime::max());
  to_all([&] { return mail::StandAside{aside}; });
}

/// To nobody who stands aside, too: they would hand it back.
void Cluster::Impl::hand_over_aside() {
  offer(*standing_aside, [this](NodeId node) {
    const auto health = controller->detector().health_of(node).value_or(peer::Beat::OK);
    return controller->detector().life(node) == failover::Life::alive &&
           (health == peer::Beat::OK || health == peer::Beat::LATE);
  });
}

}  // namespace holdfast
