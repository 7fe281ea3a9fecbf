// Honest traffic, and beside it clients that mean no good.
//
// Steps: prepare; before; attack; settle.
// Counts: those of attacker.h; for the kind history: attempts and answered are pages. live_before_*, live_during_* of
// LiveTraffic.
#include <spdlog/fmt/fmt.h>

#include "tools/holdfast-load/attacker.h"
#include "tools/holdfast-load/backlog.h"
#include "tools/holdfast-load/live_traffic.h"
#include "tools/holdfast-load/provisioning.h"
#include "tools/holdfast-load/scenario.h"

namespace holdfast::load {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr std::size_t kPagesAhead = 8;  // of one session that asks for history

class Hostile final : public Scenario {
 public:
  explicit Hostile(Workplace& place) : place_(place), live_(place), backlog_(place), attackers_(place.executor()) {
    attack_.place = &place;
  }

  Awaitable<Result<Found>> step(std::string name, Found) override {
    Status done = Error{Errc::unsupported, ""};
    if (name == "prepare")
      done = co_await prepare();
    else if (name == "before")
      done = co_await before();
    else if (name == "attack")
      done = co_await attack();
    else if (name == "settle")
      done = co_await settle();
    else
      co_return no_such_step("hostile", name);
    if (!done) co_return done.error();
    co_return Found{};
  }

  void finish() override {
    live_.finish();
    backlog_.finish();
    for (const auto& session : greedy_) session->close();
    backlog_.close_writers();
  }

 private:
  Awaitable<Status> prepare() {
    auto live = co_await live_.prepare();
    if (!live) co_return live.error();
    if (place_.share.of == 0) co_return Ok{};
    if (place_.plan.kind == "half-open") {
      TlsTrust trust;
      trust.insecure = true;
      auto context = TlsContext::client(trust);
      if (!context) co_return context.error();
      attack_.tls = std::move(*context);
    }
    if (place_.plan.kind == "token") {
      auto users = co_await provision(place_.runtime, place_.target, {fmt::format("load-{}-shared", place_.plan.run)});
      if (!users) co_return users.error();
      attack_.token = users->front().token;
    }
    if (place_.plan.kind == "history") co_return co_await prepare_history();
    co_return Ok{};
  }

  /// Sessions of groups with something to read.
  Awaitable<Status> prepare_history() {
    const auto range = place_.share.range(place_.plan.connections);
    std::vector<std::string> names;
    for (std::uint64_t i = range.from; i < range.to; ++i)
      names.push_back(fmt::format("load-{}-greedy-{}", place_.plan.run, i));
    auto users = co_await provision(place_.runtime, place_.target, std::move(names));
    if (!users) co_return users.error();
    std::vector<UserId> ids;
    for (auto& user : *users) {
      ids.push_back(user.user);
      greedy_.push_back(
          std::make_unique<Session>(place_, nobody_, greedy_.size(), client::ResumeWith{std::move(user.token), 0}));
    }
    auto grouped = co_await backlog_.make_groups(greedy_, std::move(ids));
    if (!grouped) co_return grouped.error();
    auto posted = co_await backlog_.post_all();
    if (!posted) co_return posted.error();
    std::vector<Session*> all;
    for (const auto& session : greedy_) all.push_back(session.get());
    auto connected = co_await connect_all(&place_, std::move(all));
    if (!connected) co_return connected.error();
    auto caught_up = [this] {
      for (std::size_t i = 0; i < greedy_.size(); ++i)
        if (backlog_.talk_of(i)->ledger().missing(Backlog::viewer_of(i)) > 0) return false;
      return true;
    };
    const bool all_there = co_await wait_until(&place_, caught_up, Seconds(300));
    if (!all_there) co_return Error{Errc::io, "not all sessions caught up within five minutes"};
    co_return Ok{};
  }

  Awaitable<Status> before() {
    live_.talk("live_before");
    co_await wait_for(&place_, Seconds(place_.plan.seconds));
    co_return Ok{};
  }

  Awaitable<Status> attack() {
    live_.count_under("live_during");
    const auto range = place_.share.range(place_.plan.connections);
    for (std::size_t i = 0; i < greedy_.size(); ++i)
      for (std::size_t ahead = 0; ahead < kPagesAhead; ++ahead) ask_again(i);
    if (greedy_.empty())
      for (std::uint64_t i = range.from; i < range.to; ++i) attackers_.spawn("attacker", run_attacker(&attack_, i));
    co_await wait_for(&place_, Seconds(place_.plan.seconds));
    attack_.stop = true;
    co_await attackers_.join();
    co_return Ok{};
  }

  /// The same page, as fast as it comes.
  void ask_again(std::size_t index) {
    if (attack_.stop) return;
    ++place_.tally.counts["attempts"];
    auto ask = client::ask::history(backlog_.talk_of(index)->conversation(), {1, false, 500});
    greedy_[index]->client().request(std::move(ask), [this, index](const client::Reply& reply) {
      ++place_.tally.counts[reply.ok() ? "answered" : "denied"];
      ask_again(index);
    });
  }

  Awaitable<Status> settle() {
    co_await live_.stop();
    co_return Ok{};
  }

  Workplace& place_;
  SessionEvents nobody_;
  LiveTraffic live_;
  Backlog backlog_;
  std::vector<std::unique_ptr<Session>> greedy_;  ///< who ask for history
  Attack attack_{};
  TaskGroup attackers_;
};

}  // namespace

std::unique_ptr<Scenario> make_hostile(Workplace& place) { return std::make_unique<Hostile>(place); }

}  // namespace holdfast::load
