// Fan-out: one group, everybody online, one writes.
//
// Steps: provision; gather (the first process: makes the group); connect; plan; send; settle.
// Counts, times, curves: message_* as MessageFigures has them, of all members but the writer; curves: connections.
// In the processes without the writer a message's planned moment is what the rate makes it, counted from when they were
// told to plan, as the writer does.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "clients/cpp/await.h"
#include "tools/holdfast-load/provisioning.h"
#include "tools/holdfast-load/scenario.h"
#include "tools/holdfast-load/session.h"

namespace holdfast::load {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr Seconds kSettleMax{300};
constexpr std::size_t kMembersAtOnce = 100;
constexpr std::size_t kAhead = 1'000;
constexpr std::chrono::milliseconds kLead{500};  // from the plan to the first message: all processes have it by then

template <class IdType>
std::optional<IdType> id_from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    bytes.push_back(static_cast<char>(value));
  }
  return IdType::from_bytes(bytes);
}

class Groups final : public Scenario, public SessionEvents {
 public:
  explicit Groups(Workplace& place) : place_(place) {}

  Awaitable<Result<Found>> step(std::string name, Found found) override {
    if (name == "provision") co_return co_await provision_members();
    if (name == "gather") co_return co_await gather(std::move(found));
    if (name == "connect") co_return co_await connect(std::move(found));
    if (name == "plan") co_return plan();
    if (name == "send") co_return co_await send();
    if (name == "settle") co_return co_await settle(std::move(found));
    co_return no_such_step("groups", name);
  }

  void finish() override {
    if (talk_) {
      place_.tally.findings += talk_->ledger().finish();
      if (writes()) place_.tally.counts["unacknowledged"] += sent_ - acknowledged_;
    }
    for (const auto& member : members_) member->close();
    if (writer_) writer_->close();
  }

  void on_online(Session&, bool) override { ++place_.tally.curves["connections"].at(steady_now() - place_.began); }

 private:
  bool writes() const { return place_.share.index == 0; }

  Awaitable<Result<Found>> provision_members() {
    const auto range = place_.share.range(place_.plan.sessions);
    place_.say(fmt::format("making {} users", place_.plan.sessions));
    std::vector<std::string> names;
    for (std::uint64_t i = range.from; i < range.to; ++i) names.push_back(place_.plan.user_name(i));
    auto users = co_await provision(place_.runtime, place_.target, std::move(names));
    if (!users) co_return users.error();
    Found found;
    for (auto& user : *users) {
      found["users"].push_back(to_hex(user.user.bytes()));
      members_.push_back(
          std::make_unique<Session>(place_, *this, members_.size(), client::ResumeWith{std::move(user.token), 0}));
    }
    co_return found;
  }

  Awaitable<Result<Found>> gather(Found found) {
    if (!writes()) co_return Found{};
    auto writer = co_await make_sessions(&place_, &nobody_, 0, {"load-" + place_.plan.run + "-writer"});
    if (!writer) co_return writer.error();
    writer_ = std::move(writer->front());
    writer_->send_ahead(kAhead);
    auto online = co_await connect_all(&place_, {writer_.get()});
    if (!online) co_return online.error();

    place_.say("making the group");
    std::vector<UserId> users;
    for (const std::string& hex : found["users"])
      if (const auto user = id_from_hex<UserId>(hex)) users.push_back(*user);
    std::optional<ConversationId> group;
    std::uint64_t number = 0;
    for (std::size_t from = 0; from < users.size(); from += kMembersAtOnce) {
      const auto first = users.begin() + static_cast<std::ptrdiff_t>(from);
      const auto last = users.begin() + static_cast<std::ptrdiff_t>(std::min(from + kMembersAtOnce, users.size()));
      auto ask =
          group ? client::ask::add_members(*group, {first, last}) : client::ask::create_group("load", {first, last});
      const auto reply = co_await client::asking(writer_->client(), std::move(ask));
      if (!reply.ok()) co_return Error{Errc::io, "making the group: " + reply.failure->str()};
      if (!group) group = ConversationId::from_bytes(reply.frame.conversation().conversation_id());
      if (!group) co_return Error{Errc::io, "the server made a group without an id"};
    }
    // The switch to another way of delivery may take numbers of its own: what counts is the newest.
    const auto newest = co_await client::asking(writer_->client(), client::ask::history(*group, {0, true, 1}));
    if (!newest.ok()) co_return Error{Errc::io, "the group's newest change: " + newest.failure->str()};
    number = newest.frame.history().last_number();
    co_await next_turn(&place_);
    co_return Found{{"group", {to_hex(group->bytes())}}, {"number", {std::to_string(number)}}};
  }

  Awaitable<Result<Found>> connect(Found found) {
    const auto group = id_from_hex<ConversationId>(found["group"].at(0));
    if (!group) co_return Error{Errc::corrupt, "a group without an id"};
    const std::uint64_t from = std::stoull(found["number"].at(0)) + 1;
    place_.say(fmt::format("connecting {} sessions", place_.plan.sessions));
    // The writer is the first viewer in its process; elsewhere that is a member.
    talk_ = std::make_unique<Talk>(place_.tally, 1, static_cast<std::uint32_t>(place_.plan.body_bytes),
                                   members_.size() + (writes() ? 1 : 0));
    talk_->opened(*group);
    if (!writes()) talk_->written_elsewhere();
    std::vector<Session*> all;
    if (writes()) writer_->look_at(*talk_, 0, *group, from);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      members_[i]->look_at(*talk_, i + (writes() ? 1 : 0), *group, from);
      all.push_back(members_[i].get());
    }
    auto connected = co_await connect_all(&place_, std::move(all));
    if (!connected) co_return connected.error();
    co_return Found{};
  }

  /// Before anybody sends: what is to come is known in every process when it comes.
  Found plan() {
    figures_ = std::make_unique<MessageFigures>(place_.tally, "message", place_.began);
    talk_->count_in(figures_.get());
    sending_begins_ = steady_now() + kLead;
    if (writes()) return {};
    for (std::uint64_t i = 0; i < moments(place_.plan.rate, Seconds(place_.plan.seconds)); ++i) {
      const Seconds offset(static_cast<double>(i) / place_.plan.rate);
      talk_->ledger().sent(sending_begins_ + std::chrono::duration_cast<SteadyTime::duration>(offset));
    }
    return {};
  }

  Awaitable<Result<Found>> send() {
    const Seconds time(place_.plan.seconds);
    if (steady_now() < sending_begins_) co_await wait_for(&place_, sending_begins_ - steady_now());
    if (!writes()) {
      co_await wait_for(&place_, time);
      co_return Found{};
    }
    // at_rate() takes a share of the rate: this process writes all of it.
    auto write = [this](std::uint64_t, SteadyTime planned) { talk_->send(*writer_, planned); };
    co_await at_rate(&place_, place_.share, place_.plan.rate * static_cast<double>(place_.share.of), time,
                     std::move(write));
    auto acknowledged = [this] { return talk_->ledger().acknowledged_count() == talk_->ledger().sent_count(); };
    co_await wait_until(&place_, acknowledged, kSettleMax);
    sent_ = talk_->ledger().sent_count();
    acknowledged_ = talk_->ledger().acknowledged_count();
    Found done{{"acknowledged", {std::to_string(acknowledged_)}}};
    for (const std::uint64_t sequence : talk_->put_off()) done["put_off"].push_back(std::to_string(sequence));
    co_return done;
  }

  Awaitable<Result<Found>> settle(Found found) {
    const std::uint64_t count = std::stoull(found["acknowledged"].at(0));
    if (!writes()) {
      talk_->ledger().acknowledged_elsewhere(count);
      for (const std::string& sequence : found["put_off"]) talk_->ledger().put_off(std::stoull(sequence));
    }
    auto shown = [this] {
      const Ledger& ledger = talk_->ledger();
      for (std::size_t i = 0; i < ledger.viewers(); ++i)
        if (ledger.missing(i) > 0) return false;
      return true;
    };
    const bool all = co_await wait_until(&place_, shown, kSettleMax);
    if (!all) place_.say("waited no longer for what is still under way");
    talk_->count_in(nullptr);
    co_return Found{};
  }

  Workplace& place_;
  SessionEvents nobody_;
  std::unique_ptr<Talk> talk_;
  std::unique_ptr<MessageFigures> figures_;
  std::vector<std::unique_ptr<Session>> members_;
  std::unique_ptr<Session> writer_;
  SteadyTime sending_begins_;
  std::uint64_t sent_ = 0, acknowledged_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> make_groups(Workplace& place) { return std::make_unique<Groups>(place); }

}  // namespace holdfast::load
