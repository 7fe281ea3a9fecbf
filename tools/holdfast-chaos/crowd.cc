#include "tools/holdfast-chaos/crowd.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/hash.h"
#include "clients/cpp/await.h"
#include "tools/holdfast-chaos/wait.h"
#include "tools/holdfast-load/body.h"

namespace holdfast::chaos {
namespace {

using boost::asio::use_awaitable;

constexpr std::chrono::seconds kPrepareMax{60};
constexpr std::size_t kOutboxMax = 1'000'000;  // messages are planned also while all nodes are away
constexpr std::uint64_t kReadEvery = 16;       // one message in so many is followed by a read

Sight sight_of(const v1::Change& change, std::uint32_t conversation, std::uint32_t body_bytes) {
  Sight sight{change.number(), std::nullopt, content_of(change), false};
  if (!change.has_posted()) return sight;
  sight.operation = load::read_body(change.posted().body(), conversation, body_bytes);
  sight.damaged = !sight.operation;
  return sight;
}

}  // namespace

std::uint64_t content_of(const v1::Change& change) {
  v1::Change kept = change;
  if (kept.has_posted()) {  // what only history tells, and may change
    kept.mutable_posted()->clear_edited_number();
    kept.mutable_posted()->clear_deleted();
    kept.mutable_posted()->clear_reactions();
    kept.mutable_posted()->clear_edit_numbers();
  }
  return std::hash<std::string>{}(kept.SerializeAsString());
}

/// One device.
class Crowd::Member final : public client::ClientEvents {
 public:
  Member(Crowd& crowd, std::uint32_t index, const std::string& token)
      : crowd_(crowd),
        index_(index),
        client(crowd.runtime_, options(crowd, token, crowd.history_.devices[index].idle), *this) {}

  void on_resumed(const client::SessionInfo& info) override {
    if (info.away.count() == 0) return;
    device().resumed.push_back(
        {crowd_.now(), std::chrono::microseconds(info.away).count(), info.inbox_head, device().shown.size()});
  }
  void on_reconnecting(const client::Reconnecting& why) override {
    crowd_.trouble_ = why.reason;
    device().troubles.push_back({crowd_.now(), why.reason, std::chrono::microseconds(why.delay).count()});
  }
  void on_session_ended(const client::Failure& failure) override { device().session_ended = failure.str(); }
  void on_history_gap(const v1::HistoryGap&) override { ++device().gaps; }
  void on_history_reset(const v1::HistoryReset&) override { ++device().gaps; }
  void on_change(const v1::InboxItem& item) override {
    if (!crowd_.opened_) {
      early_.push_back(item);  // pushed before the answer that names the conversation
      return;
    }
    const auto found = std::ranges::find_if(
        crowd_.conversations_, [&](const ConversationId& one) { return one.bytes() == item.conversation_id(); });
    if (found == crowd_.conversations_.end()) return;  // of an earlier run: the cluster is not ours
    take(item, static_cast<std::uint32_t>(found - crowd_.conversations_.begin()));
  }
  /// The conversations have their ids now.
  void take_early() {
    for (const v1::InboxItem& item : std::exchange(early_, {})) on_change(item);
  }

 private:
  Device& device() { return crowd_.history_.devices[index_]; }
  void take(const v1::InboxItem& item, std::uint32_t conversation) {
    const Sight sight = sight_of(item.change(), conversation, crowd_.options_.body_bytes);
    device().shown.push_back({crowd_.now(), item.position(), conversation, sight});
    auto& highest = crowd_.shown_[index_][conversation];
    highest = std::max(highest, sight.number);
  }
  static client::ClientOptions options(const Crowd& crowd, const std::string& token, bool idle) {
    client::ClientOptions all;
    all.endpoints = crowd.options_.endpoints;
    all.trust = crowd.options_.trust;
    all.credentials = client::ResumeWith{token, 0};
    all.client_name = "holdfast-chaos";
    all.outbox_messages_max = kOutboxMax;
    all.liveness.in_use = !idle;
    all.sends_ahead_max = 1;  // so that the order in which a device sends is defined
    return all;
  }

  Crowd& crowd_;
  const std::uint32_t index_;
  std::vector<v1::InboxItem> early_;

 public:
  client::Client client;  // last: it may call us from its destructor
};

Crowd::Crowd(any_io_executor executor, CrowdOptions options)
    : executor_(executor),
      options_(std::move(options)),
      runtime_(executor),
      random_(options_.seed),
      run_(to_hex(SystemRandom().id<StoreId>().bytes()).substr(0, 8)) {
  lay_out();
}

Crowd::~Crowd() = default;

Micros Crowd::now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady_now() - options_.began).count();
}

std::vector<client::Endpoint> Crowd::whereabouts() const {
  std::vector<client::Endpoint> all;
  for (const auto& member : members_)
    if (member->client.online()) all.push_back(member->client.endpoint());
  return all;
}

/// Every third user has two devices, and every other one of the second devices is idle; each writes with the next one,
/// and every fourth has a group of four.
void Crowd::lay_out() {
  while (history_.devices.size() < options_.clients) {
    const auto user = static_cast<std::uint32_t>(users_.size());
    users_.push_back("chaos-" + run_ + "-" + std::to_string(user));
    const std::size_t devices = user % 3 == 2 ? 2 : 1;
    for (std::size_t i = 0; i < devices && history_.devices.size() < options_.clients; ++i) {
      Device& device = history_.devices.emplace_back();
      device.name = "user" + std::to_string(user) + "/" + std::to_string(i);
      device.user = user;
      device.idle = i > 0 && user % 6 == 5;
    }
  }
  const auto users = static_cast<std::uint32_t>(users_.size());
  talkers_ = users;
  for (std::uint32_t i = 0; i < options_.listeners; ++i) {
    Device& device = history_.devices.emplace_back();
    device.name = "listener" + std::to_string(i);
    device.user = static_cast<std::uint32_t>(users_.size());
    device.idle = true;
    users_.push_back("chaos-" + run_ + "-l" + std::to_string(i));
  }
  for (std::uint32_t i = 0; i < users; ++i) {
    if (users > 2 || i == 0) history_.conversations.push_back({"", {i, (i + 1) % users}, std::nullopt});
    if (i % 4 == 0 && users >= 4)
      history_.conversations.push_back({"", {i, (i + 1) % users, (i + 2) % users, (i + 3) % users}, std::nullopt});
  }
  conversations_.resize(history_.conversations.size());
  newest_.resize(conversations_.size());
  shown_.assign(history_.devices.size(), std::vector<std::uint64_t>(conversations_.size()));
  for (const Conversation& conversation : history_.conversations) {
    auto& writers = writers_.emplace_back();
    auto& readers = readers_.emplace_back();
    for (std::uint32_t d = 0; d < history_.devices.size(); ++d) {
      if (std::ranges::count(conversation.users, history_.devices[d].user) == 0) continue;
      readers.push_back(d);
      if (!history_.devices[d].idle) writers.push_back(d);
    }
  }
}

load::Options Crowd::provisioning() const {
  load::Options options;
  options.endpoints = options_.endpoints;
  options.trust = options_.trust;
  options.operator_key_file = options_.operator_key_file;
  return options;
}

VisitorSettings Crowd::visiting() {
  VisitorSettings settings;
  settings.provisioning = provisioning();
  settings.users.assign(users_.begin(), users_.begin() + static_cast<std::ptrdiff_t>(talkers_));
  settings.host = [this](std::uint32_t user) -> client::Client& { return client_of(user); };
  settings.now = [this] { return now(); };
  settings.at_once = options_.visitors;
  settings.seed = options_.seed;
  return settings;
}

CorrespondenceSettings Crowd::corresponding() const {
  CorrespondenceSettings settings;
  settings.target = provisioning();
  settings.run = run_;
  settings.readers = options_.readers;
  settings.now = [this] { return now(); };
  settings.seed = options_.seed;
  return settings;
}

client::Client& Crowd::client_of(std::uint32_t user) {
  const auto device = std::ranges::find(history_.devices, user, &Device::user) - history_.devices.begin();
  return members_[static_cast<std::size_t>(device)]->client;
}

Awaitable<Status> Crowd::prepare() {
  const load::Options options = provisioning();
  std::vector<std::string> names;
  for (const Device& device : history_.devices) names.push_back(users_[device.user]);
  // A name twice in one request is one user too many for it: the second devices come after the first ones.
  std::vector<std::string> firsts, seconds;
  for (std::size_t i = 0; i < names.size(); ++i)
    (i > 0 && names[i] == names[i - 1] ? seconds : firsts).push_back(names[i]);
  auto first = co_await load::provision(runtime_, options, firsts);
  if (!first) co_return first.error();
  auto second = co_await load::provision(runtime_, options, seconds);
  if (!second) co_return second.error();
  for (std::size_t i = 0, f = 0, s = 0; i < names.size(); ++i)
    ids_.push_back(i > 0 && names[i] == names[i - 1] ? (*second)[s++] : (*first)[f++]);
  auto connected = co_await connect_all();
  if (!connected) co_return connected.error();
  auto opened = co_await open_all();
  visitors_ = std::make_unique<Visitors>(runtime_, visiting(), history_.visits);
  if (!opened || options_.readers == 0) co_return opened;
  correspondence_ = std::make_unique<Correspondence>(runtime_, corresponding(), history_.mail);
  auto corresponds = co_await correspondence_->prepare();
  co_return corresponds;
}

Awaitable<Status> Crowd::connect_all() {
  for (std::uint32_t i = 0; i < ids_.size(); ++i) {
    members_.push_back(std::make_unique<Member>(*this, i, ids_[i].token));
    members_.back()->client.start();
  }
  std::function<bool()> online = [this] {
    return std::ranges::all_of(members_, [](const auto& member) { return member->client.online(); });
  };
  const bool all = co_await wait_for(executor_, std::move(online), kPrepareMax);
  if (!all) co_return Error{Errc::io, "not all clients came online: " + trouble_};
  co_return Ok{};
}

Awaitable<Status> Crowd::open_all() {
  for (std::uint32_t i = 0; i < conversations_.size(); ++i) {
    std::vector<UserId> users;
    std::uint32_t opener = 0;
    for (const std::uint32_t user : history_.conversations[i].users) {
      const auto device = std::ranges::find(history_.devices, user, &Device::user) - history_.devices.begin();
      if (users.empty()) opener = static_cast<std::uint32_t>(device);
      users.push_back(ids_[static_cast<std::size_t>(device)].user);
    }
    auto frame = users.size() == 2 ? client::ask::open_direct(users[1])
                                   : client::ask::create_group("chaos", {users.begin() + 1, users.end()});
    members_[opener]->client.request(std::move(frame), [this, i](const client::Reply& reply) {
      if (!reply.ok()) {
        trouble_ = reply.failure->str();
        return;
      }
      conversations_[i] =
          ConversationId::from_bytes(reply.frame.conversation().conversation_id()).value_or(ConversationId());
      history_.conversations[i].id = to_hex(conversations_[i].bytes());
    });
  }
  std::function<bool()> opened = [this] {
    return std::ranges::none_of(conversations_, [](const ConversationId& one) { return one.is_zero(); });
  };
  const bool all = co_await wait_for(executor_, std::move(opened), kPrepareMax);
  if (!all) co_return Error{Errc::io, "not all conversations opened: " + trouble_};
  opened_ = true;
  for (auto& member : members_) member->take_early();
  co_return Ok{};
}

// ------------------------------------------------------------------------------------------------ sending

void Crowd::on_sent(std::uint64_t id, const client::SendResult& result) {
  Operation& operation = history_.operations[id];
  if (result.failure && result.failure->cause == client::Failure::Cause::closed) return;  // unknown
  operation.completed = now();
  ++answered_;
  if (result.failure) {
    operation.outcome = Operation::Outcome::refused;
    trouble_ = result.failure->str();
    return;
  }
  operation.outcome = Operation::Outcome::ok;
  operation.number = result.number;
  ++acked_;
  newest_[operation.conversation] = std::max(newest_[operation.conversation], result.number);
}

void Crowd::read_one(std::uint32_t device, std::uint32_t conversation) {
  const Micros invoked = now();
  client::ask::Page page;
  page.limit = 1;
  members_[device]->client.request(
      client::ask::history(conversations_[conversation], page),
      [this, device, conversation, invoked](const client::Reply& reply) {
        if (!reply.ok()) return;  // says nothing
        history_.devices[device].reads.push_back({conversation, invoked, now(), reply.frame.history().last_number()});
      });
}

void Crowd::send_one(std::uint64_t turn, Micros planned) {
  const auto conversation = static_cast<std::uint32_t>(turn % conversations_.size());
  const auto& writers = writers_[conversation];
  const std::uint32_t device = writers[random_.below(writers.size())];
  const std::uint64_t id = history_.operations.size();
  Operation operation;
  operation.device = device;
  operation.conversation = conversation;
  operation.invoked = planned;
  history_.operations.push_back(operation);
  client::Client& client = members_[device]->client;
  auto body = load::make_body(conversation, id, options_.body_bytes);
  const auto taken = client.send(conversations_[conversation], std::move(body),
                                 [this, id](const client::SendResult& result) { on_sent(id, result); });
  if (!taken) {  // not sent at all
    history_.operations[id].outcome = Operation::Outcome::refused;
    history_.operations[id].completed = planned;
    ++answered_;
    trouble_ = taken.error().message;
  }
  if (random_.below(kReadEvery) == 0) read_one(device, conversation);
}

Awaitable<void> Crowd::send() {
  sending_ = true;
  visitors_->begin();
  if (correspondence_) correspondence_->begin();
  boost::asio::steady_timer timer(executor_);
  const SteadyTime started = steady_now();
  for (std::uint64_t i = 0; sending_; ++i) {
    const SteadyTime planned = started + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                             std::chrono::duration<double>(static_cast<double>(i) / options_.rate));
    if (planned > steady_now()) {
      timer.expires_at(planned);
      co_await timer.async_wait(use_awaitable);
    }
    send_one(i, std::chrono::duration_cast<std::chrono::microseconds>(planned - options_.began).count());
    // Far behind, sending alone would keep the loop from reading.
    if (i % 64 == 63) co_await boost::asio::post(executor_, use_awaitable);
  }
  history_.sending_ended = now();
  co_await visitors_->end();
  if (correspondence_) co_await correspondence_->end();
}

// ------------------------------------------------------------------------------------------------ the end

bool Crowd::all_shown() const {
  if (answered_ != history_.operations.size()) return false;
  for (std::uint32_t i = 0; i < conversations_.size(); ++i)
    for (const std::uint32_t device : readers_[i])
      if (shown_[device][i] < newest_[i]) return false;
  return true;
}

Awaitable<bool> Crowd::settle(std::chrono::seconds max) {
  std::function<bool()> done = [this] { return all_shown(); };
  const bool settled = co_await wait_for(executor_, std::move(done), max);
  if (settled) history_.settled = now();
  co_return settled;
}

Awaitable<void> Crowd::read_conversation(client::Client* reader, std::uint32_t index) {
  std::vector<Sight> all;
  client::ask::Page page{1, false, 500};
  while (true) {
    auto frame = client::ask::history(conversations_[index], page);
    const auto reply = co_await client::asking(*reader, std::move(frame));
    if (!reply.ok()) {
      trouble_ = reply.failure->str();
      co_return;
    }
    const auto& history = reply.frame.history();
    for (const auto& change : history.changes()) {
      all.push_back(sight_of(change, index, options_.body_bytes));
      page.from = change.number() + 1;
    }
    if (!history.more() || history.changes().empty()) break;
  }
  history_.conversations[index].read_back = std::move(all);
}

Awaitable<void> Crowd::read_back() {
  co_await visitors_->knock_again();
  const load::Options options = provisioning();
  std::vector<std::string> names(users_.begin(), users_.begin() + static_cast<std::ptrdiff_t>(talkers_));
  auto users = co_await load::provision(runtime_, options, std::move(names));
  if (!users) {
    trouble_ = users.error().message;
    co_return;
  }
  client::ClientEvents ignored;
  for (std::uint32_t i = 0; i < conversations_.size(); ++i) {
    client::ClientOptions all;
    all.endpoints = options_.endpoints;
    all.trust = options_.trust;
    all.credentials = client::ResumeWith{(*users)[history_.conversations[i].users[0]].token, 0};
    all.client_name = "holdfast-chaos";
    all.request_max = std::chrono::seconds(30);
    auto reader = std::make_unique<client::Client>(runtime_, std::move(all), ignored);
    reader->start();
    co_await read_conversation(reader.get(), i);
    // We are inside a callback of the client, which must not be destroyed from there.
    co_await boost::asio::post(executor_, use_awaitable);
  }
}

Awaitable<void> Crowd::come_back() {
  if (correspondence_) co_await correspondence_->come_back();
}

Awaitable<void> Crowd::close() {
  if (correspondence_) correspondence_->close();
  for (auto& member : members_) member->client.close();
  co_await boost::asio::post(executor_, use_awaitable);
  correspondence_.reset();
  members_.clear();
  runtime_.cancel();
}

}  // namespace holdfast::chaos
