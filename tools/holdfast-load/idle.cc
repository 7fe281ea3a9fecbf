// Sessions that do nothing: what each of them costs, and what a message to one of them costs meanwhile.
//
// Steps: prepare; open; hold; talk.
// Counts: online; hold_read_bytes, hold_written_bytes (keep-alive traffic, as the clients saw it); message_* and its
// times and curves as MessageFigures has them. Curves: connections.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/random.h"
#include "tools/holdfast-load/scenario.h"
#include "tools/holdfast-load/session.h"

namespace holdfast::load {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr std::uint64_t kTargetsMax = 500;  // of all processes: to whom messages go
constexpr Seconds kSettleMax{300};

class Idle final : public Scenario, public SessionEvents {
 public:
  explicit Idle(Workplace& place) : place_(place) {}

  Awaitable<Result<Found>> step(std::string name, Found) override {
    Status done = Error{Errc::unsupported, ""};
    if (name == "prepare")
      done = co_await prepare();
    else if (name == "open")
      done = co_await open();
    else if (name == "hold")
      done = co_await hold();
    else if (name == "talk")
      done = co_await talk();
    else
      co_return no_such_step("idle", name);
    if (!done) co_return done.error();
    co_return Found{};
  }

  void finish() override {
    for (const Target& target : targets_) {
      const Ledger& ledger = target.talk->ledger();
      place_.tally.findings += ledger.finish();
      place_.tally.counts["unacknowledged"] += ledger.sent_count() - ledger.acknowledged_count();
    }
    for (const auto& session : sessions_) session->close();
    if (writer_) writer_->close();
  }

  void on_online(Session&, bool) override {
    ++place_.tally.counts["online"];
    ++place_.tally.curves["connections"].at(steady_now() - place_.began);
  }
  void on_lost(Session&, const client::Reconnecting& why) override {
    ++place_.tally.counts["lost_connections"];
    --place_.tally.curves["connections"].at(steady_now() - place_.began);
    place_.say("a connection was lost: " + why.reason);
  }

 private:
  /// An idle session that a message may go to.
  struct Target {
    Session* session;
    std::unique_ptr<Talk> talk;
  };

  Awaitable<Status> prepare() {
    const auto range = place_.share.range(place_.plan.sessions);
    place_.say(fmt::format("making {} users", place_.plan.sessions));
    std::vector<std::string> names;
    for (std::uint64_t i = range.from; i < range.to; ++i) names.push_back(place_.plan.user_name(i));
    auto made = co_await make_sessions(&place_, this, 0, std::move(names));
    if (!made) co_return made.error();
    sessions_ = std::move(*made);
    auto writer = co_await make_sessions(&place_, &nobody_, 0,
                                         {fmt::format("load-{}-writer-{}", place_.plan.run, place_.share.index)});
    if (!writer) co_return writer.error();
    writer_ = std::move(writer->front());
    co_return co_await connect_all(&place_, {writer_.get()});
  }

  Awaitable<Status> open() {
    std::vector<Session*> all;
    for (const auto& session : sessions_) all.push_back(session.get());
    co_return co_await connect_all(&place_, std::move(all));
  }

  Awaitable<Status> hold() {
    const auto before = place_.runtime.traffic();
    co_await wait_for(&place_, Seconds(place_.plan.seconds));
    const auto& after = place_.runtime.traffic();
    place_.tally.counts["hold_read_bytes"] += after.read_bytes - before.read_bytes;
    place_.tally.counts["hold_written_bytes"] += after.written_bytes - before.written_bytes;
    co_return Ok{};
  }

  /// Evenly spread over the sessions, each with a conversation of its own.
  Awaitable<Status> choose_targets() {
    const std::uint64_t most = std::max<std::uint64_t>(1, kTargetsMax / place_.share.of);
    const std::uint64_t count = std::min<std::uint64_t>(most, sessions_.size());
    for (std::uint64_t i = 0; i < count; ++i) {
      Session* session = sessions_[i * sessions_.size() / count].get();
      const auto index = static_cast<std::uint32_t>(place_.share.index * kTargetsMax + i);
      targets_.push_back({session, std::make_unique<Talk>(place_.tally, index,
                                                          static_cast<std::uint32_t>(place_.plan.body_bytes), 2)});
    }
    for (const Target& target : targets_) {
      auto ask = client::ask::open_direct(target.session->user());
      writer_->client().request(std::move(ask), [this, &target](const client::Reply& reply) {
        if (!reply.ok()) return place_.tally.error("open: " + reply.failure->str());
        const auto id = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
        if (!id) return;
        target.talk->opened(*id);
        writer_->look_at(*target.talk, 0, *id);
        target.session->look_at(*target.talk, 1, *id);
      });
    }
    auto opened = [this] {
      return std::all_of(targets_.begin(), targets_.end(), [](const Target& target) { return target.talk->is_open(); });
    };
    const bool all = co_await wait_until(&place_, opened, kSettleMax);
    if (!all) co_return Error{Errc::io, "not all conversations opened within five minutes"};
    co_return Ok{};
  }

  Awaitable<Status> talk() {
    auto chosen = co_await choose_targets();
    if (!chosen || targets_.empty()) co_return chosen;
    MessageFigures figures(place_.tally, "message", place_.began);
    for (const Target& target : targets_) target.talk->count_in(&figures);
    SeededRandom random(place_.share.index);
    auto send = [&](std::uint64_t, SteadyTime planned) {
      targets_[random.below(targets_.size())].talk->send(*writer_, planned);
    };
    co_await at_rate(&place_, place_.share, place_.plan.rate, Seconds(place_.plan.seconds), send);
    auto settled = [this] {
      return std::all_of(targets_.begin(), targets_.end(),
                         [](const Target& target) { return target.talk->ledger().settled(); });
    };
    const bool all = co_await wait_until(&place_, settled, kSettleMax);
    if (!all) place_.say("waited no longer for what is still under way");
    for (const Target& target : targets_) target.talk->count_in(nullptr);
    co_return Ok{};
  }

  Workplace& place_;
  SessionEvents nobody_;
  std::vector<Target> targets_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::unique_ptr<Session> writer_;
};

}  // namespace

std::unique_ptr<Scenario> make_idle(Workplace& place) { return std::make_unique<Idle>(place); }

}  // namespace holdfast::load
