#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

#include "base/random.h"
#include "base/time.h"
#include "clients/cpp/client.h"
#include "net/task_group.h"
#include "tests/bench/arrivals.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::bench {
namespace {

using Clients = std::vector<std::unique_ptr<client::Client>>;

struct CountOnline final : client::ClientEvents {
  std::size_t online = 0;
  void on_resumed(const client::SessionInfo&) override { ++online; }
  void on_session_ended(const client::Failure& failure) override { give_up("resume: " + failure.str()); }
};

load::Target target_of(const Door& door) {
  load::Target target;
  client::Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = door.port;
  target.endpoints = {endpoint};
  target.operator_key_file = door.operator_key_file;
  return target;
}

Clients make_clients(client::ClientRuntime& runtime, const load::Target& target,
                     const std::vector<load::ProvisionedUser>& users, CountOnline& events) {
  Clients clients;
  for (const auto& user : users) {
    client::ClientOptions each;
    each.endpoints = target.endpoints;
    each.credentials = client::ResumeWith{user.token, 0};
    each.reconnect.try_max = std::chrono::seconds(30);  // a storm is meant: nobody gives up
    clients.push_back(std::make_unique<client::Client>(runtime, std::move(each), events));
  }
  return clients;
}

Awaitable<void> run_provision(client::ClientRuntime* runtime, Door door, std::size_t count,
                              std::vector<load::ProvisionedUser>* result) {
  SystemRandom random;
  const std::string run = std::to_string(random.next());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("bench-" + run + "-" + std::to_string(i));
  const load::Target target = target_of(door);
  auto users = co_await load::provision(*runtime, target, std::move(names));
  if (!users) give_up(users.error().message);
  *result = std::move(*users);
}

Awaitable<void> run_resumes(client::ClientRuntime* runtime, Door door, std::vector<load::ProvisionedUser> users,
                            int rounds, Arrivals* result) {
  const load::Target target = target_of(door);
  const std::size_t sessions = users.size();

  std::vector<double> rates;
  std::vector<double> cpus;
  boost::asio::steady_timer timer(runtime->executor());
  for (int round = 0; round < rounds; ++round) {
    CountOnline events;
    Clients clients = make_clients(*runtime, target, users, events);
    const Seconds cpu = cpu_of(door.pid);
    const SteadyTime start = steady_now();
    for (auto& client : clients) client->start();
    while (events.online < sessions) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    rates.push_back(static_cast<double>(sessions) / Seconds(steady_now() - start).count());
    cpus.push_back((cpu_of(door.pid) - cpu).count() * 1e6 / static_cast<double>(sessions));
  }
  *result = {median(rates), median(cpus)};
}

}  // namespace

std::vector<load::ProvisionedUser> provision_sessions(const Door& door, std::size_t count) {
  std::vector<load::ProvisionedUser> users;
  boost::asio::io_context io(1);
  client::ClientRuntime runtime(io.get_executor());
  TaskGroup tasks(io.get_executor());
  tasks.spawn("provision", run_provision(&runtime, door, count, &users));
  io.run();
  return users;
}

Arrivals measure_resumes(const Door& door, std::size_t sessions, int rounds) {
  Arrivals result;
  boost::asio::io_context io(1);
  client::ClientRuntime runtime(io.get_executor());
  TaskGroup tasks(io.get_executor());
  tasks.spawn("resumes", run_resumes(&runtime, door, provision_sessions(door, sessions), rounds, &result));
  io.run();
  return result;
}

}  // namespace holdfast::bench
