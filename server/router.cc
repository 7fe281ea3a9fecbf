#include "server/router.h"

#include "base/check.h"

namespace holdfast {
namespace {

command::Answer come_again(const char* why, std::chrono::milliseconds after) {
  chat::Draft draft;
  draft.refuse(v1::RETRY, why, after);
  return std::move(draft.answer());
}

}  // namespace

Router::Router(NodeId self, std::uint16_t partitions, std::uint64_t life, Options options)
    : self_(self), options_(options), life_(life), next_id_(life >> 20), lanes_(partitions) {
  for (Lane& lane : lanes_) {
    lane.route = next_route_++;
    lane.patience = options_.unanswered;
  }
}

void Router::ask(PartitionId partition, command::Command command, Answered then) {
  Lane& lane = lanes_[partition.value];
  const bool client = !command.has_source();
  if (client && lane.clients >= options_.asks_max) {
    answers_.emplace_back(std::move(then),
                          come_again("too much waits for this partition", std::chrono::milliseconds(100)));
    return;
  }
  const std::uint64_t id = next_id_++ << 16 | partition.value;
  ++open_;
  if (lane.open.empty()) lane.quiet_since = now_;
  lane.clients += client ? 1 : 0;
  const auto at = lane.open.emplace(id, Open{std::move(command), std::move(then), now_, client}).first;
  if (!lane.waits && !reaches(lane)) wait(lane, options_.again);
  if (!lane.waits) send(partition, lane, id, at->second);
}

bool Router::reaches(const Lane& lane) const {
  if (lane.primary == self_) return true;
  const auto link = links_.find(lane.primary);
  return link != links_.end() && link->second;
}

void Router::send(PartitionId partition, Lane& lane, std::uint64_t id, const Open& open) {
  asks_.push_back({lane.primary, partition, id, life_, lane.route, lane.next_index++, open.command});
}

/// Nothing goes out on the lane until somebody can be asked; what is open is asked again then.
void Router::wait(Lane& lane, std::chrono::milliseconds time) {
  if (!std::exchange(lane.waits, true)) ++waiting_lanes_;
  lane.again_at = now_ + time;
}

void Router::go_on(PartitionId partition, Lane& lane) {
  if (!reaches(lane)) return wait(lane, options_.again);
  if (std::exchange(lane.waits, false)) --waiting_lanes_;
  lane.route = next_route_++;
  lane.next_index = 0;
  lane.quiet_since = now_;
  asked_again_ += lane.open.size();
  for (const auto& [id, open] : lane.open) send(partition, lane, id, open);
}

void Router::set_primary(PartitionId partition, NodeId primary, Epoch epoch) {
  Lane& lane = lanes_[partition.value];
  if (epoch <= lane.epoch) return;
  lane.epoch = epoch;
  lane.primary = primary;
  // It may be the same node again: whatever the old one did not answer is asked of the new one.
  go_on(partition, lane);
}

void Router::set_link(NodeId node, bool up) {
  links_[node] = up;
  for (std::size_t p = 0; p < lanes_.size(); ++p) {
    Lane& lane = lanes_[p];
    if (lane.primary != node) continue;
    if (up)
      go_on(PartitionId(static_cast<std::uint16_t>(p)), lane);
    else
      wait(lane, options_.again);
  }
}

void Router::ask_again(PartitionId partition) {
  Lane& lane = lanes_[partition.value];
  if (!lane.open.empty()) go_on(partition, lane);
}

void Router::answered(std::uint64_t id, std::uint64_t route, command::Answer answer) {
  Lane& lane = lanes_[partition_of_ask(id).value];
  const auto at = lane.open.find(id);
  if (at == lane.open.end()) return;  // answered before: it was asked twice
  lane.quiet_since = now_;
  lane.patience = options_.unanswered;
  // It was asked again meanwhile, and may be taken there: what was made stands, what was refused does not.
  if (answer.frame().has_error() && route != lane.route) return;
  if (!answer.elsewhere()) return finish(lane, at, std::move(answer));
  if (route == lane.route && !lane.waits) wait(lane, options_.again);
}

void Router::finish(Lane& lane, std::map<std::uint64_t, Open>::iterator at, command::Answer answer) {
  answers_.emplace_back(std::move(at->second.then), std::move(answer));
  lane.clients -= at->second.client ? 1 : 0;
  --open_;
  lane.open.erase(at);
}

void Router::tick(SteadyTime now) {
  now_ = now;
  for (std::size_t p = 0; p < lanes_.size(); ++p) {
    Lane& lane = lanes_[p];
    if (!lane.waits && !lane.open.empty() && now - lane.quiet_since > lane.patience) {
      lane.patience *= 2;
      go_on(PartitionId(static_cast<std::uint16_t>(p)), lane);
    }
    if (!lane.waits) continue;
    if (now >= lane.again_at) go_on(PartitionId(static_cast<std::uint16_t>(p)), lane);
    for (auto at = lane.open.begin(); lane.waits && at != lane.open.end();) {
      const auto next = std::next(at);
      if (at->second.client && now - at->second.since > options_.give_up)
        finish(lane, at, come_again("nobody leads this partition at present", std::chrono::milliseconds(200)));
      at = next;
    }
  }
}

}  // namespace holdfast
