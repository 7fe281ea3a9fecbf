#include "tools/holdfast-load/backlog.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace holdfast::load {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr Seconds kOpenMax{300};
constexpr std::size_t kAhead = 32;  // of a group, that wait in its writer
constexpr std::size_t kMakingAtOnce = 8;

}  // namespace

Talk* Backlog::talk_of(std::size_t session) const {
  return groups_.empty() ? nullptr : groups_[session / kGroupUsers].talk.get();
}

std::size_t Backlog::open_groups() const {
  return static_cast<std::size_t>(
      std::count_if(groups_.begin(), groups_.end(), [](const Group& group) { return group.talk->is_open(); }));
}

Awaitable<Status> Backlog::make_groups(const std::vector<std::unique_ptr<Session>>& sessions,
                                       std::vector<UserId> users) {
  if (place_.plan.behind == 0 || users.empty()) co_return Ok{};
  const std::size_t count = (users.size() + kGroupUsers - 1) / kGroupUsers;
  place_.say(fmt::format("making {} groups", count));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i)
    names.push_back(fmt::format("load-{}-writer-{}-{}", place_.plan.run, place_.share.index, i));
  auto writers = co_await make_sessions(&place_, this, 0, std::move(names));
  if (!writers) co_return writers.error();
  std::vector<Session*> all;
  for (auto& writer : *writers) {
    all.push_back(writer.get());
    const auto index = static_cast<std::uint32_t>(place_.share.index * 100'000 + groups_.size());
    const std::size_t members = std::min(kGroupUsers, users.size() - groups_.size() * kGroupUsers);
    auto talk =
        std::make_unique<Talk>(place_.tally, index, static_cast<std::uint32_t>(place_.plan.body_bytes), 1 + members);
    groups_.push_back({std::move(talk), std::move(writer)});
  }
  auto connected = co_await connect_all(&place_, std::move(all));
  if (!connected) co_return connected.error();

  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const auto first = users.begin() + static_cast<std::ptrdiff_t>(g * kGroupUsers);
    const auto last = users.begin() + static_cast<std::ptrdiff_t>(std::min((g + 1) * kGroupUsers, users.size()));
    auto create = client::ask::create_group("load", {first, last});
    groups_[g].writer->client().request(std::move(create), [this, g, &sessions](const client::Reply& reply) {
      if (!reply.ok()) return place_.tally.error("group: " + reply.failure->str());
      const auto id = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
      if (!id) return;
      groups_[g].talk->opened(*id);
      groups_[g].writer->look_at(*groups_[g].talk, 0, *id);
      for (std::size_t s = g * kGroupUsers; s < std::min((g + 1) * kGroupUsers, sessions.size()); ++s)
        sessions[s]->look_at(*groups_[g].talk, viewer_of(s), *id);
    });
    // Hundreds of them, each with its members' rows, would wait for each other longer than a request may take.
    const std::size_t enough = g + 1 > kMakingAtOnce ? g + 1 - kMakingAtOnce : 0;
    auto made = [this, enough] { return open_groups() >= enough; };
    const bool went_on = co_await wait_until(&place_, made, kOpenMax);
    if (!went_on) break;
  }
  auto all_made = [this] { return open_groups() == groups_.size(); };
  const bool all_open = co_await wait_until(&place_, all_made, kOpenMax);
  if (!all_open) co_return Error{Errc::io, "not all groups were made within five minutes"};
  co_return Ok{};
}

Awaitable<Status> Backlog::post_all() {
  if (groups_.empty()) co_return Ok{};
  place_.say(fmt::format("posting {} messages in each of {} groups", place_.plan.behind, groups_.size()));
  // All groups go on side by side, a few messages each: what waits here and in the server stays small.
  for (std::uint64_t i = 0; i < place_.plan.behind; ++i) {
    for (Group& group : groups_) group.talk->send(*group.writer, steady_now());
    const std::uint64_t enough = i + 1 > kAhead ? i + 1 - kAhead : 0;
    auto taken = [this, enough] {
      return std::all_of(groups_.begin(), groups_.end(), [enough](const Group& group) {
        return group.talk->ledger().acknowledged_count() >= enough || group.writer->client().outbox_size() == 0;
      });
    };
    if (!taken()) {
      const bool went_on = co_await wait_until(&place_, taken, kOpenMax);
      if (!went_on) co_return Error{Errc::io, "the backlog's messages were not taken for five minutes"};
    } else {
      co_await next_turn(&place_);
    }
  }
  const bool all = co_await posted(kOpenMax);
  if (!all) co_return Error{Errc::io, "the backlog was not acknowledged within five minutes"};
  // The writers' own devices are told of it by the same way as the others' inboxes.
  auto written = [this] {
    return std::all_of(groups_.begin(), groups_.end(),
                       [](const Group& group) { return group.talk->ledger().missing(0) == 0; });
  };
  const bool delivered = co_await wait_until(&place_, written, kOpenMax);
  if (!delivered) co_return Error{Errc::io, "the backlog was not delivered within five minutes"};
  co_return Ok{};
}

void Backlog::post_over(Seconds time) {
  if (groups_.empty()) return;
  auto post = [this](std::uint64_t, SteadyTime planned) {
    for (Group& group : groups_) group.talk->send(*group.writer, planned);
  };
  // at_rate() takes a share of the rate: here each process has all of it, for groups of its own.
  const double rate = static_cast<double>(place_.plan.behind) / time.count() * static_cast<double>(place_.share.of);
  tasks_.spawn("backlog", at_rate(&place_, place_.share, rate, time, std::move(post)));
}

Awaitable<bool> Backlog::posted(Seconds max) {
  co_await tasks_.join();
  auto acknowledged = [this] {
    return std::all_of(groups_.begin(), groups_.end(), [](const Group& group) {
      return group.talk->ledger().acknowledged_count() == group.talk->ledger().sent_count();
    });
  };
  co_return co_await wait_until(&place_, acknowledged, max);
}

Awaitable<bool> Backlog::shown(Seconds max) {
  auto settled = [this] {
    return std::all_of(groups_.begin(), groups_.end(),
                       [](const Group& group) { return group.talk->ledger().settled(); });
  };
  co_return co_await wait_until(&place_, settled, max);
}

void Backlog::count_in(MessageFigures* figures) {
  for (Group& group : groups_) group.talk->count_in(figures);
}

void Backlog::close_writers() {
  for (Group& group : groups_) group.writer->close();
}

void Backlog::finish() {
  for (Group& group : groups_) {
    const Ledger& ledger = group.talk->ledger();
    place_.tally.findings += ledger.finish();
    place_.tally.counts["unacknowledged"] += ledger.sent_count() - ledger.acknowledged_count();
  }
}

}  // namespace holdfast::load
