/// Gateway: which node a session belongs to, and how sessions go there.
#include "server/gateway/gateway_impl.h"

namespace holdfast::gateway {
namespace {

/// At the end of a drain, for answers under way and for the last frames.
constexpr std::chrono::milliseconds kHurryMax{2'000};

/// Standing aside: much of what clients ask for here is not answered, so they are better off elsewhere at once.
constexpr std::chrono::milliseconds kAsideDelayMax{200};
constexpr std::chrono::milliseconds kAsideLeaveAfter{500};

std::vector<std::string> addresses_of(const std::vector<NodeEndpoint>& ranked) {
  std::vector<std::string> addresses;
  for (const auto& node : ranked) addresses.push_back(node.address);
  return addresses;
}

}  // namespace

std::vector<std::string> Gateway::Impl::endpoints_of(const SessionId& session) const {
  return addresses_of(rank_endpoints(session, nodes_));
}

std::vector<std::string> Gateway::Impl::targets_of(const SessionId& session) const {
  std::vector<NodeEndpoint> others = nodes_;
  std::erase_if(others, [&](const NodeEndpoint& one) { return one.id == node_; });
  return addresses_of(rank_endpoints(session, others));
}

void Gateway::Impl::set_nodes(std::vector<NodeEndpoint> nodes, NodeId self) {
  node_ = self;
  if (nodes == nodes_) return;
  nodes_ = std::move(nodes);
  if (nodes_.empty() || ring_.empty()) return;
  std::vector<std::uint64_t> all;
  all.reserve(ring_.size());
  for (const auto* connection : ring_) all.push_back(connection->id());
  const double seconds = std::chrono::duration<double>(options_.endpoints_spread).count();
  const double per_s = static_cast<double>(all.size()) / std::max(seconds, 0.001);
  telling_ = Wave(std::move(all), per_s, now());
}

void Gateway::Impl::tell_some(SteadyTime at) {
  if (telling_.is_over()) return;
  for (const auto id : telling_.take(at)) {
    auto* connection = find(id);
    if (connection == nullptr) continue;
    connection->session().tell_endpoints();
    mark_dirty(*connection);
  }
}

void Gateway::Impl::reattach(PartitionId partition) {
  for (auto* connection : ring_) connection->session().reattach(partition, now());
}

// ------------------------------------------------------------------------------------------------ the end

void Gateway::Impl::drain(DrainOptions options, std::function<void()> empty) {
  const auto until = now() + options.deadline;
  if (draining_) {
    draining_->deadline = std::min(draining_->deadline, until);
    if (draining_->hurry_at) *draining_->hurry_at = std::min(*draining_->hurry_at, draining_->deadline);
    return;
  }
  draining_ = Draining{options, until, std::move(empty), {}, {}};
  for (auto& listener : listeners_) listener->close();
  for (auto& [id, opening] : openings_) opening.stream->close();
  if (targets_of(SessionId()).empty())
    say_goodbye_to_all(options.retry_after);
  else
    start_moving(options);
  schedule_flush();
}

void Gateway::Impl::start_moving(const DrainOptions& options) {
  draining_->hurry_at = draining_->deadline - std::min(kHurryMax, options.deadline / 2);
  std::vector<std::uint64_t> sessions;
  for (auto* connection : ring_) {
    if (connection->session().is_logged_in()) {
      sessions.push_back(connection->id());
      continue;
    }
    connection->session().drain({});  // it can log in elsewhere
    mark_dirty(*connection);
  }
  const double share = static_cast<double>(sessions.size()) * options.share_per_s;
  draining_->moving = Wave(std::move(sessions), std::max({share, options.sessions_per_s, 1.0}), now());
  move_some(now());
}

void Gateway::Impl::move_some(SteadyTime at) {
  if (!draining_ || !draining_->hurry_at) return;
  if (at >= *draining_->hurry_at) return say_goodbye_to_all({});
  for (const auto id : draining_->moving.take(at)) move(id, draining_->options, at);
}

void Gateway::Impl::move(std::uint64_t id, const DrainOptions& options, SteadyTime at) {
  auto* connection = find(id);
  if (connection == nullptr) return;
  auto& session = connection->session();
  const auto targets = targets_of(session.session_id());
  const auto spread = static_cast<std::uint64_t>(options.delay_max.count()) + 1;
  const std::chrono::milliseconds delay(parts_.backend.random().below(spread));
  if (targets.empty())
    session.drain(options.retry_after);
  else
    session.move(targets, delay, at + delay + options.leave_after);
  mark_dirty(*connection);
}

// ------------------------------------------------------------------------------------------------ standing aside

void Gateway::Impl::stand_aside(bool aside) {
  aside_ = aside;
  standing_aside_ = Wave();
}

/// Wave after wave: clients come, too, while this lasts.
void Gateway::Impl::stand_aside_some(SteadyTime at) {
  if (!aside_ || draining_ || targets_of(SessionId()).empty()) return;
  DrainOptions options;
  options.delay_max = kAsideDelayMax;
  options.leave_after = kAsideLeaveAfter;
  if (standing_aside_.is_over()) {
    std::vector<std::uint64_t> sessions;
    for (auto* connection : ring_)
      if (connection->session().may_be_moved()) sessions.push_back(connection->id());
    if (sessions.empty()) return;
    const double share = static_cast<double>(sessions.size()) * options.share_per_s;
    standing_aside_ = Wave(std::move(sessions), std::max(share, options.sessions_per_s), at);
  }
  for (const auto id : standing_aside_.take(at)) move(id, options, at);
}

void Gateway::Impl::say_goodbye_to_all(std::chrono::milliseconds retry_after) {
  draining_->hurry_at.reset();
  for (auto* connection : ring_) {
    connection->session().drain(retry_after);
    mark_dirty(*connection);
  }
}

}  // namespace holdfast::gateway
