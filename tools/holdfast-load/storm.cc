// Storms: sessions that come back at the same time, after the server was away or for the first time in a while.
//
// Steps: prepare; [connect, if there will be a fault]; before; storm; settle.
// Counts: connected, resumed, caught_up, logged_in, not_back, refused, timed_out, unreachable, waited_ms (that clients
// were told, or chose, to wait before another try), shown (messages), disturbed (by a fault), tls_handshakes, tls_resumed
// (of them).
// Times and curves: connect, resume, caught_up, log_in (from the planned moment, or the fault); curves: connections,
// online (the difference of each step), refused; live_before_*, live_during_* of LiveTraffic.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <random>

#include "tools/holdfast-load/backlog.h"
#include "tools/holdfast-load/live_traffic.h"
#include "tools/holdfast-load/provisioning.h"
#include "tools/holdfast-load/refusal.h"
#include "tools/holdfast-load/scenario.h"

namespace holdfast::load {
namespace {

using Seconds = std::chrono::duration<double>;

/// In a storm with a fault, the backlog's messages are posted over this time; the fault comes in it.
constexpr Seconds kPostingAround{8};
/// A process that begins more TLS handshakes than it can compute is itself why they take longer than clients wait, and
/// then it does little but give them up and begin them again. Who waits for that is late, which is counted.
constexpr std::size_t kFirstTriesAtOnce = 256;
constexpr std::uint64_t kLogInsOfAnAccount = 40;  // each is a device, and an account has 64 at most
constexpr const char* kPassword = "correct horse battery staple";

class Storm final : public Scenario, public SessionEvents {
 public:
  explicit Storm(Workplace& place)
      : place_(place), live_(place), backlog_(place), connections_(place.tally.curves["connections"]) {}

  Awaitable<Result<Found>> step(std::string name, Found) override {
    Status done = Error{Errc::unsupported, ""};
    if (name == "prepare")
      done = co_await prepare();
    else if (name == "connect")
      done = co_await connect();
    else if (name == "before")
      done = co_await before();
    else if (name == "storm")
      done = co_await storm();
    else if (name == "settle")
      done = co_await settle();
    else
      co_return no_such_step("storm", name);
    if (!done) co_return done.error();
    co_return Found{};
  }

  void fault() override {
    broken_at_ = steady_now();
    for (Comer& comer : comers_) comer.planned = *broken_at_;
  }

  void finish() override {
    backlog_.finish();
    live_.finish();
    place_.tally.counts["live_resumed"] += live_.resumes();
    for (Comer& comer : comers_) comer.session->close();
    backlog_.close_writers();
  }

  // ---- what the sessions tell
  void on_connection(Session& session) override {
    Comer* comer = comer_of(session);
    if (comer == nullptr) return;
    first_try_ended(*comer);
    if (!comer->open) ++connections_.at(steady_now() - place_.began);
    comer->open = true;
    if (counting_) session.count_handshake();
    if (!counting_ || comer->connected) return;
    comer->connected = true;
    took("connected", "connect", *comer);
  }

  void on_online(Session& session, bool resumed) override {
    Comer* comer = comer_of(session);
    if (comer == nullptr) return;
    comer->online = true;
    if (!counting_ || comer->back) return;
    comer->back = true;
    if (!resumed && comer->log_in) return took("logged_in", "log_in", *comer);
    took("resumed", "resume", *comer);
    // Whatever was sent by now it has missed, and is behind until it is shown that.
    comer->wants = comer->talk == nullptr ? 0 : comer->talk->ledger().sent_count();
    check_caught_up(*comer);
  }

  void on_lost(Session& session, const client::Reconnecting& why) override {
    Comer* comer = comer_of(session);
    if (comer == nullptr) return;
    first_try_ended(*comer);
    if (comer->open) --connections_.at(steady_now() - place_.began);
    comer->open = false;
    const bool was_online = std::exchange(comer->online, false);
    if (was_online && broken_at_ && !comer->disturbed) {
      comer->disturbed = true;
      ++place_.tally.counts["disturbed"];
      comer->connected = comer->back = comer->caught_up = false;
    }
    if (!counting_) return;
    place_.tally.counts["waited_ms"] += static_cast<std::uint64_t>(why.delay.count());
    if (was_online && broken_at_) return;  // that is the fault itself
    const char* kind = name_of(refusal_kind(why.reason));
    ++place_.tally.counts[kind];
    ++place_.tally.curves["refused"].at(steady_now() - place_.began);
    ++place_.tally.counts["refusal: " + plain_reason(why.reason)];
  }

  void on_shown(Session& session, const Talk& talk) override {
    Comer* comer = comer_of(session);
    if (comer == nullptr || !counting_) return;
    ++place_.tally.counts["shown"];
    if (comer->back && comer->talk == &talk) check_caught_up(*comer);
  }

 private:
  /// One who comes, or comes back.
  struct Comer {
    std::unique_ptr<Session> session;
    Talk* talk = nullptr;
    std::size_t viewer = 0;
    SteadyTime planned;       ///< from when it wants to be there
    std::uint64_t wants = 0;  ///< messages that it is to be shown until it has caught up
    bool log_in = false;      ///< with a password
    bool first_try = false;   ///< which has not come to a connection yet, nor been given up
    bool open = false, online = false;
    bool disturbed = false;  ///< it lost its connection by the fault
    bool connected = false, back = false, caught_up = false;
  };

  Comer* comer_of(const Session& session) {
    return session.index() < comers_.size() && comers_[session.index()].session.get() == &session
               ? &comers_[session.index()]
               : nullptr;
  }

  void took(const char* count, const char* time, const Comer& comer) {
    const SteadyTime now = steady_now();
    ++place_.tally.counts[count];
    place_.tally.times[time].add(now - comer.planned);
    place_.tally.times_curves[time].at(now - place_.began).add(now - comer.planned);
    if (time != std::string_view("connect")) {
      ++place_.tally.curves[count].at(now - place_.began);
      place_.tally.raise(std::string("last_") + count + "_us", since(broken_at_.value_or(storm_began_), now));
    }
  }
  static std::uint64_t since(SteadyTime then, SteadyTime now) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now - then).count());
  }

  void check_caught_up(Comer& comer) {
    if (comer.caught_up) return;
    if (comer.talk != nullptr && comer.talk->ledger().shown_count(comer.viewer) < comer.wants) return;
    comer.caught_up = true;
    took("caught_up", "caught_up", comer);
  }

  bool is_done(const Comer& comer) const {
    if (place_.plan.fault && !comer.disturbed) return comer.online;
    return comer.back && (comer.log_in || comer.caught_up);
  }

  // ---- steps
  Awaitable<Status> prepare() {
    auto live = co_await live_.prepare();
    if (!live) co_return live.error();
    auto made = co_await make_comers();
    if (!made) co_return made.error();
    if (place_.plan.fault) co_return Ok{};
    auto posted = co_await backlog_.post_all();
    if (!posted) co_return posted.error();
    backlog_.close_writers();
    co_return Ok{};
  }

  Comer& add_comer(std::unique_ptr<Session> session) {
    Comer& comer = comers_.emplace_back();
    comer.session = std::move(session);
    comer.viewer = Backlog::viewer_of(comers_.size() - 1);
    return comer;
  }

  /// Every so manieth of all is one that logs in.
  bool logs_in(std::uint64_t index) const {
    const std::uint64_t all = place_.plan.sessions, some = place_.plan.log_ins;
    return (index + 1) * some / all != index * some / all;
  }

  Awaitable<Status> make_comers() {
    const auto range = place_.share.range(place_.plan.sessions);
    std::vector<std::string> names;
    for (std::uint64_t i = range.from; i < range.to; ++i)
      if (!logs_in(i)) names.push_back(place_.plan.user_name(i));
    place_.say(fmt::format("making {} users", names.size()));
    auto users = co_await provision(place_.runtime, place_.target, std::move(names));
    if (!users) co_return users.error();
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<UserId> ids;
    for (auto& user : *users) {
      ids.push_back(user.user);
      sessions.push_back(
          std::make_unique<Session>(place_, *this, sessions.size(), client::ResumeWith{std::move(user.token), 0}));
    }
    auto grouped = co_await backlog_.make_groups(sessions, std::move(ids));
    if (!grouped) co_return grouped.error();
    for (std::size_t i = 0; i < sessions.size(); ++i) add_comer(std::move(sessions[i])).talk = backlog_.talk_of(i);
    auto registered = co_await add_log_ins(range.size() - comers_.size());
    co_return registered;
  }

  /// Accounts with passwords, each for some dozens of devices: what a log-in costs is the password, not the account.
  Awaitable<Status> add_log_ins(std::uint64_t count) {
    const std::uint64_t accounts = (count + kLogInsOfAnAccount - 1) / kLogInsOfAnAccount;
    if (count > 0) place_.say(fmt::format("registering {} accounts with passwords", accounts));
    std::vector<std::unique_ptr<Session>> registering;
    std::vector<Session*> all;
    for (std::uint64_t i = 0; i < accounts; ++i) {
      registering.push_back(
          std::make_unique<Session>(place_, nobody_, i, client::RegisterWith{account(i), kPassword, ""}));
      all.push_back(registering.back().get());
    }
    auto registered = co_await connect_all(&place_, std::move(all));
    co_await next_turn(&place_);
    registering.clear();
    if (!registered) co_return registered.error();
    for (std::uint64_t i = 0; i < count; ++i) {
      const client::LogInWith with{account(i / kLogInsOfAnAccount), kPassword};
      auto session = std::make_unique<Session>(place_, *this, comers_.size(), with);
      add_comer(std::move(session)).log_in = true;
    }
    co_return Ok{};
  }
  std::string account(std::uint64_t index) const {
    return fmt::format("load-{}-account-{}-{}", place_.plan.run, place_.share.index, index);
  }

  Awaitable<Status> connect() {
    place_.say(fmt::format("connecting {} sessions", comers_.size()));
    std::vector<Session*> all;
    for (Comer& comer : comers_) all.push_back(comer.session.get());
    co_return co_await connect_all(&place_, std::move(all));
  }

  Awaitable<Status> before() {
    live_.talk("live_before");
    co_await wait_for(&place_, Seconds(place_.plan.seconds));
    co_return Ok{};
  }

  Awaitable<Status> storm() {
    storm_began_ = steady_now();
    if (place_.plan.live_pairs > 0) live_.count_under("live_during");
    counting_ = true;
    if (place_.plan.fault) {
      backlog_.post_over(kPostingAround);
      // The conductor breaks something meanwhile.
      co_await backlog_.posted(Seconds(place_.plan.back_max_s));
    } else {
      co_await start_all();
    }
    auto all_done = [this] {
      return std::all_of(comers_.begin(), comers_.end(), [this](const Comer& comer) { return is_done(comer); });
    };
    const bool all = co_await wait_until(&place_, all_done, Seconds(place_.plan.back_max_s));
    if (!all) place_.say("waited no longer for those who are not back");
    if (all && place_.plan.fault) co_await backlog_.shown(Seconds(place_.plan.back_max_s));
    place_.tally.counts["not_back"] += static_cast<std::uint64_t>(
        std::count_if(comers_.begin(), comers_.end(), [this](const Comer& comer) { return !is_done(comer); }));
    counting_ = false;
    co_return Ok{};
  }

  void first_try_ended(Comer& comer) {
    if (std::exchange(comer.first_try, false)) --first_tries_;
  }

  /// Each at its moment, those with passwords among the others.
  Awaitable<void> start_all() {
    const Seconds over(place_.plan.over_s);
    const bool tls = place_.plan.speaks_tls();
    std::vector<Comer*> order;
    for (Comer& comer : comers_) order.push_back(&comer);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    for (std::size_t i = 0; i < order.size(); ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(comers_.size());
      const SteadyTime planned = storm_began_ + std::chrono::duration_cast<SteadyTime::duration>(over * part);
      if (planned > steady_now()) co_await wait_for(&place_, planned - steady_now());
      order[i]->planned = planned;
      while (tls && first_tries_ >= kFirstTriesAtOnce) co_await wait_for(&place_, Seconds(0.001));
      place_.acted(planned);
      order[i]->first_try = true;
      ++first_tries_;
      order[i]->session->start();
      constexpr std::size_t kStartsAtOnce = 32;
      if (i % kStartsAtOnce == kStartsAtOnce - 1) co_await next_turn(&place_);
    }
  }

  Awaitable<Status> settle() {
    co_await live_.stop();
    co_return Ok{};
  }

  Workplace& place_;
  LiveTraffic live_;
  Backlog backlog_;
  CountSeries& connections_;
  SessionEvents nobody_;
  std::vector<Comer> comers_;
  SteadyTime storm_began_;
  std::optional<SteadyTime> broken_at_;
  std::size_t first_tries_ = 0;  ///< under way
  bool counting_ = false;
};

}  // namespace

std::unique_ptr<Scenario> make_storm(Workplace& place) { return std::make_unique<Storm>(place); }

}  // namespace holdfast::load
