/// Session: other nodes, other primaries.
#include <algorithm>

#include "server/gateway/session.h"

namespace holdfast::gateway {
namespace {

constexpr std::chrono::minutes kWatchFor{5};  ///< as the partitions keep a watch
constexpr std::size_t kWatchedMax = 1'000;    ///< whoever is beyond is not watched again after a failover
constexpr std::uint64_t kWatchAgainMinMs = 10'000, kWatchAgainSpreadMs = 20'000;

/// Never 0.
std::size_t hash_of(const std::vector<std::string>& endpoints) {
  std::string all;
  for (const auto& one : endpoints) all += one + " ";
  return std::hash<std::string>{}(all) | 1;
}

template <class Message>
void set_endpoints(const std::vector<std::string>& addresses, Message& repeated) {
  for (const auto& address : addresses) repeated.Add()->set_address(address);
}

}  // namespace

void Session::add_endpoints(const SessionId& session, v1::SessionReply& reply) {
  const auto endpoints = parts_.host.endpoints_of(session);
  set_endpoints(endpoints, *reply.mutable_endpoints());
  endpoints_told_ = endpoints.empty() ? 0 : hash_of(endpoints);
}

void Session::reattach(PartitionId partition, SteadyTime now) {
  if (phase_ != Phase::open || !caller_.user) return;
  if (partition == partition_) {
    // In case the primary is the same after all: it must not send to both.
    parts_.attachments.detach(*caller_.user, self_);
    self_.connection += std::uint64_t{1} << kRegistrationShift;
    credit_ = 0;  // of the former registration
    attach(parts_.options.inbox_credit_bytes - std::min<std::uint64_t>(owed_, parts_.options.inbox_credit_bytes));
  }
  const bool watches =
      now < watched_until_ && std::any_of(
                                  watched_.begin(), watched_.end(),
                                  [&](const UserId& user) { return parts_.host.partition_of_user(user) == partition; });
  if (!watches || std::find(watch_lost_.begin(), watch_lost_.end(), partition) != watch_lost_.end()) return;
  if (watch_lost_.empty()) {
    const auto spread = id_ * 0x9e3779b97f4a7c15ULL >> 20;
    watch_again_at_ = now + std::chrono::milliseconds(kWatchAgainMinMs + spread % kWatchAgainSpreadMs);
  }
  watch_lost_.push_back(partition);
}

void Session::watch(const v1::PresenceReply& presence, SteadyTime now) {
  std::vector<UserId> users;
  for (const auto& one : presence.users()) {
    if (const auto user = UserId::from_bytes(one.user_id())) users.push_back(*user);
  }
  parts_.attachments.watch_presence(self_, users);
  if (now >= watched_until_) watched_.clear();
  watched_until_ = now + kWatchFor;
  for (const auto& user : users) {
    if (watched_.size() >= kWatchedMax) break;
    if (std::find(watched_.begin(), watched_.end(), user) == watched_.end()) watched_.push_back(user);
  }
}

void Session::watch_again(SteadyTime now) {
  if (now >= watched_until_) {
    watched_ = {};
    watch_lost_ = {};
  }
  if (watch_lost_.empty() || now < watch_again_at_) return;
  std::vector<UserId> users;
  for (const auto& user : watched_) {
    const auto partition = parts_.host.partition_of_user(user);
    if (std::find(watch_lost_.begin(), watch_lost_.end(), partition) != watch_lost_.end()) users.push_back(user);
  }
  watch_lost_ = {};
  parts_.attachments.watch_presence(self_, users);
}

void Session::tell_endpoints() {
  if (phase_ != Phase::open || !caller_.user) return;
  const auto endpoints = parts_.host.endpoints_of(caller_.session);
  if (endpoints.empty()) return;
  if (std::exchange(endpoints_told_, hash_of(endpoints)) == hash_of(endpoints)) return;
  v1::ServerFrame frame;
  set_endpoints(endpoints, *frame.mutable_endpoints()->mutable_endpoints());
  outbox_.add(frame);
}

void Session::move(const std::vector<std::string>& targets, std::chrono::milliseconds delay, SteadyTime leave_at) {
  if (phase_ != Phase::open || !caller_.user || leave_at_) return;
  leave_at_ = leave_at;
  v1::ServerFrame frame;
  set_endpoints(targets, *frame.mutable_move()->mutable_targets());
  frame.mutable_move()->set_delay_ms(static_cast<std::uint64_t>(delay.count()));
  frame.mutable_move()->set_reason("draining");
  outbox_.add(frame);
}

}  // namespace holdfast::gateway
