#include "tools/holdfast-chaos/visitors.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "clients/cpp/await.h"
#include "tools/holdfast-chaos/wait.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::chaos {
namespace {

using boost::asio::use_awaitable;
using std::chrono::milliseconds;

constexpr milliseconds kAskEvery{100};
constexpr milliseconds kArriveMax{10'000};
constexpr milliseconds kKnockMax{3'000};
constexpr milliseconds kAskMax{3'000};
constexpr milliseconds kStayAfter{1'000};

}  // namespace

/// A connection with the session of one visit.
class Visitors::Guest final : public client::ClientEvents {
 public:
  Guest(Visitors& visitors, std::size_t visit, std::vector<client::Endpoint> endpoints)
      : visitors_(visitors),
        visit_(visit),
        since_(visitors.settings_.now()),
        client(visitors.runtime_, visitors.options(visit, std::move(endpoints)), *this) {
    client.start();
  }

  void on_resumed(const client::SessionInfo& info) override {
    if (!session) note(since_, true);
    session = info.session;
  }
  void on_session_ended(const client::Failure& failure) override {
    refused = true;
    if (failure.code == v1::SESSION_ENDED) note(since_, false);
  }
  /// Asks something, now and then, one at a time.
  void chat() {
    const Micros now = visitors_.settings_.now();
    if (asking_ || refused || now < since_ + std::chrono::microseconds(kAskEvery).count()) return;
    asking_ = true;
    since_ = now;
    client.request(
        client::ask::get_account(),
        [this](const client::Reply& reply) {
          asking_ = false;
          if (reply.ok()) note(since_, true);
        },
        kAskMax);
  }

  std::size_t visit() const { return visit_; }
  std::optional<SessionId> session;  ///< once it was let in
  bool refused = false;

 private:
  void note(Micros invoked, bool accepted) {
    visitors_.visits_[visit_].tries.push_back(
        {client.endpoint().authority(), invoked, visitors_.settings_.now(), accepted});
  }

  Visitors& visitors_;
  const std::size_t visit_;
  Micros since_;  ///< when what was asked last was asked
  bool asking_ = false;

 public:
  client::Client client;  // last: it may call us from its destructor
};

Visitors::Visitors(client::ClientRuntime& runtime, VisitorSettings settings, std::vector<Visit>& visits)
    : runtime_(runtime),
      settings_(std::move(settings)),
      visits_(visits),
      random_(settings_.seed),
      tasks_(runtime.executor()) {}

Visitors::~Visitors() = default;

client::ClientOptions Visitors::options(std::size_t visit, std::vector<client::Endpoint> endpoints) const {
  client::ClientOptions all;
  all.endpoints = std::move(endpoints);
  all.trust = settings_.provisioning.trust;
  all.credentials = client::ResumeWith{tokens_[visit], 0};
  all.client_name = "holdfast-chaos";
  all.liveness.in_use = true;
  return all;
}

client::Endpoint Visitors::some_node() {
  const auto& nodes = settings_.provisioning.endpoints;
  return nodes[random_.below(nodes.size())];
}

milliseconds Visitors::between(std::uint64_t from_ms, std::uint64_t to_ms) {
  return milliseconds(from_ms + random_.below(to_ms - from_ms + 1));
}

void Visitors::begin() {
  for (std::size_t i = 0; i < settings_.at_once; ++i) tasks_.spawn("visits", one_after_the_other());
}

Awaitable<void> Visitors::end() {
  ending_ = true;
  co_await tasks_.join();
}

Awaitable<void> Visitors::one_after_the_other() {
  while (!ending_) {
    co_await visit();
    std::function<bool()> enough = [this] { return ending_; };
    co_await wait_for(runtime_.executor(), std::move(enough), between(200, 1'000));
  }
}

Awaitable<void> Visitors::visit() {
  const auto user = static_cast<std::uint32_t>(random_.below(settings_.users.size()));
  std::vector<std::string> names{settings_.users[user]};
  auto made = co_await load::provision(runtime_, settings_.provisioning, std::move(names));
  if (!made || ending_) co_return;
  const std::size_t index = visits_.size();
  visits_.push_back({user, -1, -1, "", {}});
  tokens_.push_back(made->front().token);
  {
    Guest guest(*this, index, settings_.provisioning.endpoints);
    std::function<bool()> there = [&guest] { return guest.session || guest.refused; };
    co_await wait_for(runtime_.executor(), std::move(there), kArriveMax);
    if (!guest.session) co_return;
    co_await stay(&guest, between(100, 2'000));
    co_await end_session(&guest);
    co_await stay(&guest, kStayAfter);
  }
  for (const client::Endpoint& node : settings_.provisioning.endpoints) co_await knock(index, node);
  std::function<bool()> later = [this] { return ending_; };
  co_await wait_for(runtime_.executor(), std::move(later), between(500, 8'000));
  co_await knock(index, some_node());
}

Awaitable<void> Visitors::stay(Guest* guest, milliseconds time) {
  std::function<bool()> gone = [guest] {
    guest->chat();
    return guest->refused;
  };
  co_await wait_for(runtime_.executor(), std::move(gone), time);
}

/// Returns with an answer, or when there will be none.
Awaitable<void> Visitors::end_session(Guest* guest) {
  const std::size_t index = guest->visit();
  const bool by_itself = random_.below(2) == 0;
  visits_[index].how = by_itself ? "logged out" : "revoked by another device";
  visits_[index].asked = settings_.now();
  auto answered = std::make_shared<bool>(false);  // of a client that outlives this
  const client::ReplyCallback done = [this, index, answered](const client::Reply& reply) {
    *answered = true;
    if (reply.ok()) visits_[index].acked = settings_.now();
  };
  if (by_itself)
    guest->client.log_out(done);
  else
    settings_.host(visits_[index].user).request(client::ask::revoke_device(*guest->session), done);
  std::function<bool()> over = [guest, answered] {
    guest->chat();
    return *answered;
  };
  co_await wait_for(runtime_.executor(), std::move(over), std::chrono::seconds(20));
}

Awaitable<void> Visitors::knock(std::size_t visit, client::Endpoint node) {
  std::vector<client::Endpoint> only{std::move(node)};
  Guest guest(*this, visit, std::move(only));
  std::function<bool()> answered = [&guest] { return guest.session || guest.refused; };
  co_await wait_for(runtime_.executor(), std::move(answered), kKnockMax);
}

Awaitable<void> Visitors::knock_again() {
  for (std::size_t i = 0; i < visits_.size(); ++i)
    if (visits_[i].acked >= 0) {
      client::Endpoint node = some_node();
      co_await knock(i, std::move(node));
    }
}

}  // namespace holdfast::chaos
