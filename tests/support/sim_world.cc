#include "tests/support/sim_world.h"

#include <algorithm>

#include "base/check.h"
#include "tests/support/audit_checker.h"
#include "tests/support/log_history.h"

namespace holdfast {
namespace {

constexpr int kIdleTicksMax = 2'000;
constexpr std::uint64_t kStepsMax = 500'000;
constexpr std::chrono::milliseconds kIdleTick{100};

}  // namespace

SimWorld::SimWorld(OneThreadOptions options) : node_(std::move(options)) {
  HF_CHECK(node_.start(), "a fresh node starts");
}

SimWorld::~SimWorld() {
  for (const auto& client : clients_) client->lost_connection();
}

SimClient& SimWorld::add_client(SimClient::Options options) {
  return *clients_.emplace_back(std::make_unique<SimClient>(node_, history_, std::move(options)));
}

bool SimWorld::step() {
  if (node_.is_dead()) restart();
  for (const auto& client : clients_) client->pump();
  return node_.step() || node_.is_dead();
}

void SimWorld::restart() {
  for (const auto& client : clients_) client->lost_connection();
  ++deaths_;
  node_.crash();
  if (on_restart_) on_restart_();
  for (int tries = 0;; ++tries) {
    const Status started = node_.start();
    if (started) return;
    HF_CHECK(node_.is_dead() && tries < 10, started.error().message.c_str());
    ++deaths_;
    node_.crash();
  }
}

void SimWorld::kill() {
  if (!node_.is_dead()) restart();
}

void SimWorld::run_until(const std::function<bool()>& done) {
  int idle = 0;
  for (std::uint64_t steps = 0; !done(); ++steps) {
    HF_CHECK(steps < kStepsMax, "what is waited for happens");
    if (step()) {
      idle = 0;
      continue;
    }
    HF_CHECK(++idle < kIdleTicksMax, "what is waited for happens");
    node_.advance(kIdleTick);
  }
}

void SimWorld::settle() {
  for (int ticks = 0; ticks < 3; ++ticks) {
    run_until([this] { return std::ranges::all_of(clients_, [](const auto& c) { return c->is_idle(); }); });
    while (step()) {
    }
    node_.advance(kIdleTick);  // what was held back goes on at a tick
  }
  while (step()) {
  }
}

v1::ServerFrame SimWorld::ask(SimClient& client, v1::ClientFrame frame) {
  const std::size_t request = client.ask(std::move(frame));
  run_until([&] { return client.answer(request) || client.ended(); });
  return client.answer(request) ? *client.answer(request) : v1::ServerFrame();
}

// ------------------------------------------------------------------------------------------------ judging

std::vector<std::string> SimWorld::verdict() {
  node_.limit().clear();
  settle();
  node_.apply_all();
  // One whose refusal was never heard, because the connection was gone, was put off all the same.
  for (History::Post& post : history_.posts)
    post.put_off |= post.resent && node_.refused_posts().contains(post.client_message_id);
  collect(node_.archive(), history_);
  std::vector<std::string> found = check_history(history_);
  check_state(node_.archive(), node_.log_database(), node_.state_database(), found);
  check_members(node_.state_database(), node_.options().partitions, found);
  check_audit(node_.archive(), node_.state_database(), found);
  for (std::uint16_t p = 0; p < node_.options().partitions; ++p)
    if (!node_.copy(p).idle()) found.push_back("partition " + std::to_string(p) + " is not done");
  return found;
}

}  // namespace holdfast
