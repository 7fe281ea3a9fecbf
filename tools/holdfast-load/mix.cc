// A day's mix: direct messages, groups, read marks, typing, history, drop-outs and log-ins, each at a rate of its own.
//
// Steps: prepare; run; settle.
// Counts: message_*, group_* (MessageFigures), reads, typing, pages, drop_outs, resumed, logged_in, and skipped (planned
// for somebody who was away), tls_handshakes, tls_resumed (of them). Times: read, page, resume, log_in. Curves: connections.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/random.h"
#include "clients/cpp/await.h"
#include "tools/holdfast-load/scenario.h"
#include "tools/holdfast-load/session.h"

namespace holdfast::load {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr Seconds kSettleMax{300};
constexpr std::uint64_t kAccounts = 8;  // with passwords, of each process; a log-in logs out again
constexpr const char* kPassword = "correct horse battery staple";

class Mix final : public Scenario, public SessionEvents {
 public:
  explicit Mix(Workplace& place) : place_(place), tasks_(place.executor()), random_(place.share.index + 1) {}

  Awaitable<Result<Found>> step(std::string name, Found) override {
    Status done = Error{Errc::unsupported, ""};
    if (name == "prepare")
      done = co_await prepare();
    else if (name == "run")
      done = co_await run();
    else if (name == "settle")
      done = co_await settle();
    else
      co_return no_such_step("mix", name);
    if (!done) co_return done.error();
    co_return Found{};
  }

  void finish() override {
    for (const auto* chats : {&directs_, &groups_})
      for (const Chat& chat : *chats) {
        const Ledger& ledger = chat.talk->ledger();
        place_.tally.findings += ledger.finish();
        place_.tally.counts["unacknowledged"] += ledger.sent_count() - ledger.acknowledged_count();
      }
    for (const auto& session : sessions_) session->close();
  }

  void on_connection(Session& session) override {
    if (running_) session.count_handshake();
  }
  void on_online(Session& session, bool resumed) override {
    ++place_.tally.curves["connections"].at(steady_now() - place_.began);
    if (!resumed || !running_ || came_back_at_[session.index()] == SteadyTime()) return;
    ++place_.tally.counts["resumed"];
    took("resume", std::exchange(came_back_at_[session.index()], SteadyTime()));
  }
  void on_lost(Session&, const client::Reconnecting&) override {
    ++place_.tally.counts["lost_connections"];
    --place_.tally.curves["connections"].at(steady_now() - place_.began);
  }

 private:
  /// A conversation; the first of its people writes.
  struct Chat {
    std::unique_ptr<Talk> talk;
    std::vector<Session*> people;
  };

  void took(const char* name, SteadyTime planned) {
    const SteadyTime now = steady_now();
    place_.tally.times[name].add(now - planned);
    place_.tally.times_curves[name].at(now - place_.began).add(now - planned);
  }

  // ---- before
  Awaitable<Status> prepare() {
    // Pairs stay together: what is shared out is pairs.
    const auto pairs = place_.share.range(place_.plan.sessions / 2);
    place_.say(fmt::format("making {} users", place_.plan.sessions));
    std::vector<std::string> names;
    for (std::uint64_t i = 2 * pairs.from; i < 2 * pairs.to; ++i) names.push_back(place_.plan.user_name(i));
    auto made = co_await make_sessions(&place_, this, 0, std::move(names));
    if (!made) co_return made.error();
    sessions_ = std::move(*made);
    came_back_at_.resize(sessions_.size());
    std::vector<Session*> all;
    for (const auto& session : sessions_) {
      session->keep_for_return();
      all.push_back(session.get());
    }
    auto connected = co_await connect_all(&place_, std::move(all));
    if (!connected) co_return connected.error();
    place_.say("opening conversations");
    make_chats();
    auto open = [this] {
      const auto is_open = [](const Chat& chat) { return chat.talk->is_open(); };
      return std::all_of(directs_.begin(), directs_.end(), is_open) &&
             std::all_of(groups_.begin(), groups_.end(), is_open);
    };
    const bool opened = co_await wait_until(&place_, open, kSettleMax);
    if (!opened) co_return Error{Errc::io, "not all conversations opened within five minutes"};
    co_return co_await register_accounts();
  }

  void make_chats() {
    const auto body_bytes = static_cast<std::uint32_t>(place_.plan.body_bytes);
    auto index = static_cast<std::uint32_t>(place_.share.index * 1'000'000);
    for (std::size_t i = 0; i + 1 < sessions_.size(); i += 2)
      directs_.push_back(
          {std::make_unique<Talk>(place_.tally, index++, body_bytes, 2), {sessions_[i].get(), sessions_[i + 1].get()}});
    const auto groups = place_.share.range(place_.plan.groups).size();
    const auto members = std::min<std::uint64_t>(place_.plan.group_members, sessions_.size());
    for (std::uint64_t g = 0; g < groups; ++g) {
      Chat chat{std::make_unique<Talk>(place_.tally, index++, body_bytes, members), {}};
      const std::size_t from = random_.below(sessions_.size());
      for (std::uint64_t m = 0; m < members; ++m) chat.people.push_back(sessions_[(from + m) % sessions_.size()].get());
      groups_.push_back(std::move(chat));
    }
    for (Chat& chat : directs_) open(chat, client::ask::open_direct(chat.people[1]->user()));
    for (Chat& chat : groups_) {
      std::vector<UserId> others;
      for (std::size_t i = 1; i < chat.people.size(); ++i) others.push_back(chat.people[i]->user());
      open(chat, client::ask::create_group("load", others));
    }
  }

  void open(Chat& chat, v1::ClientFrame ask) {
    chat.people[0]->client().request(std::move(ask), [this, &chat](const client::Reply& reply) {
      if (!reply.ok()) return place_.tally.error("open: " + reply.failure->str());
      const auto id = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
      if (!id) return;
      chat.talk->opened(*id);
      for (std::size_t i = 0; i < chat.people.size(); ++i) chat.people[i]->look_at(*chat.talk, i, *id);
    });
  }

  std::string account(std::uint64_t index) const {
    return fmt::format("load-{}-account-{}-{}", place_.plan.run, place_.share.index, index);
  }

  Awaitable<Status> register_accounts() {
    if (place_.plan.mix.log_ins <= 0) co_return Ok{};
    std::vector<std::unique_ptr<Session>> registering;
    std::vector<Session*> all;
    for (std::uint64_t i = 0; i < kAccounts; ++i) {
      registering.push_back(
          std::make_unique<Session>(place_, nobody_, i, client::RegisterWith{account(i), kPassword, ""}));
      all.push_back(registering.back().get());
    }
    auto registered = co_await connect_all(&place_, std::move(all));
    co_await next_turn(&place_);
    registering.clear();
    co_return registered;
  }

  // ---- meanwhile
  Awaitable<Status> run() {
    message_figures_ = std::make_unique<MessageFigures>(place_.tally, "message", place_.began);
    group_figures_ = std::make_unique<MessageFigures>(place_.tally, "group", place_.began);
    for (Chat& chat : directs_) chat.talk->count_in(message_figures_.get());
    for (Chat& chat : groups_) chat.talk->count_in(group_figures_.get());
    running_ = true;
    const MixRates& rates = place_.plan.mix;
    spawn("messages", rates.messages, [this](SteadyTime planned) { write(directs_, planned); });
    spawn("group messages", rates.group_messages, [this](SteadyTime planned) { write(groups_, planned); });
    spawn("reads", rates.reads, [this](SteadyTime planned) { read(planned); });
    spawn("typing", rates.typing, [this](SteadyTime) { type(); });
    spawn("history", rates.history, [this](SteadyTime planned) { page(planned); });
    spawn("drop-outs", rates.drop_outs, [this](SteadyTime) { drop_out(); });
    spawn("log-ins", rates.log_ins, [this](SteadyTime planned) { log_in(planned); });
    co_await tasks_.join();
    co_return Ok{};
  }

  void spawn(const char* name, double rate, std::function<void(SteadyTime)> act) {
    auto each = [act = std::move(act)](std::uint64_t, SteadyTime planned) { act(planned); };
    tasks_.spawn(name, at_rate(&place_, place_.share, rate, Seconds(place_.plan.seconds), std::move(each)));
  }

  Chat& any_chat() {
    const std::uint64_t i = random_.below(directs_.size() + groups_.size());
    return i < directs_.size() ? directs_[i] : groups_[i - directs_.size()];
  }
  Session& anybody_of(const Chat& chat) { return *chat.people[random_.below(chat.people.size())]; }
  void skip() { ++place_.tally.counts["skipped"]; }

  void write(std::vector<Chat>& chats, SteadyTime planned) {
    if (chats.empty()) return;
    Chat& chat = chats[random_.below(chats.size())];
    if (!chat.people[0]->started()) return skip();
    chat.talk->send(*chat.people[0], planned);
  }

  void read(SteadyTime planned) {
    const Chat& chat = any_chat();
    Session& who = anybody_of(chat);
    const std::uint64_t newest = chat.talk->newest_number();
    if (!who.online() || newest == 0) return skip();
    ++place_.tally.counts["reads"];
    ask(who, client::ask::mark(chat.talk->conversation(), newest, newest), "read", planned);
  }

  void page(SteadyTime planned) {
    const Chat& chat = any_chat();
    Session& who = anybody_of(chat);
    if (!who.online()) return skip();
    ++place_.tally.counts["pages"];
    ask(who, client::ask::history(chat.talk->conversation(), {0, true, 50}), "page", planned);
  }

  void ask(Session& who, v1::ClientFrame frame, const char* name, SteadyTime planned) {
    who.client().request(std::move(frame), [this, name, planned](const client::Reply& reply) {
      if (reply.ok()) return took(name, planned);
      // Who drops out does not get its answer, and an app would not ask again.
      if (reply.failure->cause != client::Failure::Cause::closed)
        place_.tally.error(std::string(name) + ": " + reply.failure->str());
    });
  }

  void type() {
    const Chat& chat = any_chat();
    Session& who = anybody_of(chat);
    if (!who.online()) return skip();
    ++place_.tally.counts["typing"];
    who.client().cast(client::ask::set_typing(chat.talk->conversation(), true));
  }

  void drop_out() {
    Session& who = *sessions_[random_.below(sessions_.size())];
    if (!who.online() || who.client().outbox_size() > 0) return skip();
    ++place_.tally.counts["drop_outs"];
    --place_.tally.curves["connections"].at(steady_now() - place_.began);
    who.leave();
    tasks_.spawn("away", away(&who));
  }

  Awaitable<void> away(Session* who) {
    const double span = place_.plan.away_max_s - place_.plan.away_min_s;
    const double part = static_cast<double>(random_.below(1'000'001)) / 1e6;
    co_await wait_for(&place_, Seconds(place_.plan.away_min_s + span * part));
    came_back_at_[who->index()] = steady_now();
    who->start();
  }

  void log_in(SteadyTime planned) { tasks_.spawn("log-in", log_in_and_out(planned, random_.below(kAccounts))); }

  Awaitable<void> log_in_and_out(SteadyTime planned, std::uint64_t index) {
    const client::LogInWith with{account(index), kPassword};
    auto session = std::make_unique<Session>(place_, nobody_, index, with);
    session->start();
    auto online = [who = session.get()] { return who->online(); };
    const bool there = co_await wait_until(&place_, online, kSettleMax);
    if (there) {
      ++place_.tally.counts["logged_in"];
      took("log_in", planned);
      v1::ClientFrame out;
      out.mutable_log_out();
      const auto reply = co_await client::asking(session->client(), std::move(out));
      if (!reply.ok()) place_.tally.error("log-out: " + reply.failure->str());
    } else {
      place_.tally.error("a log-in took longer than five minutes");
    }
    co_await next_turn(&place_);
    session->close();
  }

  // ---- after
  Awaitable<Status> settle() {
    auto settled = [this] {
      const auto is_settled = [](const Chat& chat) { return chat.talk->ledger().settled(); };
      return std::all_of(sessions_.begin(), sessions_.end(), [](const auto& session) { return session->online(); }) &&
             std::all_of(directs_.begin(), directs_.end(), is_settled) &&
             std::all_of(groups_.begin(), groups_.end(), is_settled);
    };
    const bool all = co_await wait_until(&place_, settled, kSettleMax);
    if (!all) place_.say("waited no longer for what is still under way");
    co_return Ok{};
  }

  Workplace& place_;
  TaskGroup tasks_;
  SeededRandom random_;
  SessionEvents nobody_;
  std::unique_ptr<MessageFigures> message_figures_, group_figures_;
  std::vector<Chat> directs_, groups_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<SteadyTime> came_back_at_;  ///< of each session that comes back just now
  bool running_ = false;
};

}  // namespace

std::unique_ptr<Scenario> make_mix(Workplace& place) { return std::make_unique<Mix>(place); }

}  // namespace holdfast::load
