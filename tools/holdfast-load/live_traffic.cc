#include "tools/holdfast-load/live_traffic.h"

#include <algorithm>

namespace holdfast::load {
namespace {

constexpr std::chrono::duration<double> kSettleMax{300};
constexpr std::chrono::duration<double> kForAsLongAsItTakes{7 * 86'400};
constexpr std::uint32_t kFirstTalk = 1'000'000'000;  // apart from the scenarios' own talks

}  // namespace

Awaitable<Status> LiveTraffic::prepare() {
  const auto range = place_.live_share.range(place_.plan.live_pairs);
  if (range.size() == 0) co_return Ok{};
  std::vector<std::string> names;
  for (std::uint64_t i = 2 * range.from; i < 2 * range.to; ++i)
    names.push_back("load-" + place_.plan.run + "-live-" + std::to_string(i));
  auto sessions = co_await make_sessions(&place_, this, 0, std::move(names));
  if (!sessions) co_return sessions.error();
  std::vector<Session*> all;
  for (std::size_t i = 0; i < range.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(kFirstTalk + range.from + i);
    const auto body_bytes = static_cast<std::uint32_t>(place_.plan.body_bytes);
    pairs_.push_back({std::make_unique<Talk>(place_.tally, index, body_bytes, 2), std::move((*sessions)[2 * i]),
                      std::move((*sessions)[2 * i + 1])});
    all.push_back(pairs_.back().sender.get());
    all.push_back(pairs_.back().receiver.get());
  }
  auto connected = co_await connect_all(&place_, std::move(all));
  if (!connected) co_return connected.error();
  auto opened = co_await open_talks();
  co_return opened;
}

Awaitable<Status> LiveTraffic::open_talks() {
  for (Pair& pair : pairs_) {
    auto open = client::ask::open_direct(pair.receiver->user());
    pair.sender->client().request(std::move(open), [this, &pair](const client::Reply& reply) {
      if (!reply.ok()) return place_.tally.error("open: " + reply.failure->str());
      const auto id = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
      if (!id) return;
      pair.talk->opened(*id);
      pair.sender->look_at(*pair.talk, 0, *id);
      pair.receiver->look_at(*pair.talk, 1, *id);
    });
  }
  auto all_open = [this] {
    return std::all_of(pairs_.begin(), pairs_.end(), [](const Pair& pair) { return pair.talk->is_open(); });
  };
  const bool opened = co_await wait_until(&place_, all_open, kSettleMax);
  if (!opened) co_return Error{Errc::io, "not all conversations opened within five minutes"};
  co_return Ok{};
}

void LiveTraffic::count_under(const std::string& prefix) {
  phases_.push_back(std::make_unique<MessageFigures>(place_.tally, prefix, place_.began));
  for (Pair& pair : pairs_) pair.talk->count_in(phases_.back().get());
}

void LiveTraffic::talk(const std::string& prefix) {
  if (pairs_.empty()) return;
  count_under(prefix);
  auto send = [this](std::uint64_t i, SteadyTime planned) {
    Pair& pair = pairs_[i % pairs_.size()];
    pair.talk->send(*pair.sender, planned);
  };
  // Each process has its share of the pairs and of the moments, and they are the same share.
  tasks_.spawn("live traffic",
               at_rate(&place_, place_.live_share, place_.plan.rate, kForAsLongAsItTakes, std::move(send), &stopping_));
}

Awaitable<void> LiveTraffic::stop() {
  stopping_ = true;
  co_await tasks_.join();
  auto settled = [this] {
    return std::all_of(pairs_.begin(), pairs_.end(), [](const Pair& pair) { return pair.talk->ledger().settled(); });
  };
  const bool all = co_await wait_until(&place_, settled, kSettleMax);
  if (!all) place_.say("waited no longer for what is still under way");
}

void LiveTraffic::finish() {
  for (Pair& pair : pairs_) {
    const Ledger& ledger = pair.talk->ledger();
    place_.tally.findings += ledger.finish();
    place_.tally.counts["unacknowledged"] += ledger.sent_count() - ledger.acknowledged_count();
    pair.sender->close();
    pair.receiver->close();
  }
}

std::uint64_t LiveTraffic::resumes() const {
  std::uint64_t all = 0;
  for (const Pair& pair : pairs_) all += pair.sender->resumes() + pair.receiver->resumes();
  return all;
}

}  // namespace holdfast::load
