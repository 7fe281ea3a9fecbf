#include "tools/holdfast-load/worker.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <iostream>

#include "net/listener.h"
#include "tools/holdfast-load/channel.h"
#include "tools/holdfast-load/effort.h"
#include "tools/holdfast-load/options.h"
#include "tools/holdfast-load/provisioning.h"
#include "tools/holdfast-load/scenario.h"

namespace holdfast::load {
namespace {

namespace json = boost::json;

Found read_found(const json::value& from) {
  Found found;
  for (const auto& [name, texts] : from.as_object())
    found[std::string(name)] = json::value_to<std::vector<std::string>>(texts);
  return found;
}

json::object found_json(const Found& found) {
  json::object all;
  for (const auto& [name, texts] : found) all[name] = json::value_from(texts);
  return all;
}

Share share_from(const json::value& from) {
  return {json::value_to<std::uint64_t>(from.at(0)), json::value_to<std::uint64_t>(from.at(1))};
}

/// One run of one conductor. Owned by the process's main function, outlives the loop.
class Worker {
 public:
  Worker(any_io_executor executor, const WorkerOptions& options, std::string operator_key)
      : executor_(executor), options_(options), operator_key_(std::move(operator_key)), tasks_(executor) {}

  Awaitable<void> run(tcp::socket socket) {
    channel_ = std::make_unique<Channel>(std::move(socket), operator_key_, tasks_);
    Status status = co_await channel_->greet();
    if (status) status = co_await take_plan();
    if (status) status = co_await follow();
    if (!status) std::cerr << "holdfast-load worker: " << status.error().message << "\n";
    ended_ = true;
    co_await channel_->drain();
    channel_->close();
    co_await tasks_.join();
    scenario_.reset();
    if (place_) place_->runtime.cancel();
  }

 private:
  void send(json::object message) { channel_->send(json::serialize(message)); }

  Awaitable<Status> take_plan() {
    auto text = co_await channel_->read();
    if (!text) co_return text.error();
    auto made = make_place(*text);
    if (!made) send({{"failed", made.error().message}});
    if (made) tasks_.spawn("ticks", tick());
    co_return made;
  }

  Status make_place(const std::string& text) {
    try {
      const json::value message = json::parse(text);
      auto plan = plan_from_json(json::serialize(message.at("plan")));
      if (!plan) return plan.error();
      auto target = plan->target(options_.operator_key_file);
      if (!target) return target.error();
      place_ = std::make_unique<Workplace>(executor_, std::move(*plan), std::move(*target));
      place_->share = share_from(message.at("share"));
      place_->live_share = share_from(message.at("live_share"));
      place_->sources = json::value_to<std::vector<std::string>>(message.at("sources"));
      place_->began = steady_now();
      place_->say = [this](const std::string& what) { send({{"say", what}}); };
    } catch (const std::exception& error) {
      return Error{Errc::corrupt, std::string("the conductor's plan can't be read: ") + error.what()};
    }
    auto scenario = make_scenario(*place_);
    if (!scenario) return scenario.error();
    scenario_ = std::move(*scenario);
    return Ok{};
  }

  Awaitable<Status> follow() {
    while (true) {
      auto text = co_await channel_->read();
      if (!text) co_return text.error();
      const json::value message = json::parse(*text);
      const json::object& order = message.as_object();
      if (order.contains("begin")) begin();
      if (order.contains("fault")) scenario_->fault();
      if (order.contains("step")) {
        std::string name(order.at("step").as_string());
        Found found = read_found(order.at("found"));
        tasks_.spawn("step", step(std::move(name), std::move(found)));
      }
      if (order.contains("finish")) {
        finish();
        co_return Ok{};
      }
    }
  }

  void begin() {
    place_->began = steady_now();
    place_->tally.times["late"].clear();
    for (auto& [name, curve] : place_->tally.curves) curve.begin();
    effort_.start();
    measuring_ = true;
  }

  Awaitable<void> step(std::string name, Found found) {
    auto done = co_await scenario_->step(name, std::move(found));
    // The step may have ended within a client's callback.
    co_await next_turn(place_.get());
    if (done)
      send({{"done", name}, {"found", found_json(*done)}});
    else
      send({{"failed", done.error().message + errors_so_far()}});
  }

  std::string errors_so_far() const {
    std::string all;
    for (const auto& [what, times] : place_->tally.errors) all += "; " + std::to_string(times) + " times: " + what;
    return all;
  }

  void finish() {
    if (measuring_) effort_.look(place_->tally);
    place_->tally.counts["read_bytes"] += place_->runtime.traffic().read_bytes;
    place_->tally.counts["written_bytes"] += place_->runtime.traffic().written_bytes;
    scenario_->finish();
    send({{"tally", json::parse(tally_to_json(place_->tally))}});
  }

  Awaitable<void> tick() {
    boost::asio::steady_timer timer(executor_);
    while (!ended_) {
      timer.expires_after(std::chrono::milliseconds(500));
      co_await timer.async_wait(boost::asio::use_awaitable);
      if (ended_) break;
      if (measuring_) effort_.look(place_->tally);
      json::object counts;
      for (const auto& [name, count] : place_->tally.counts) counts[name] = count;
      counts["read_bytes"] = place_->runtime.traffic().read_bytes;
      counts["written_bytes"] = place_->runtime.traffic().written_bytes;
      send({{"tick", std::move(counts)}});
    }
  }

  any_io_executor executor_;
  const WorkerOptions& options_;
  const std::string operator_key_;
  TaskGroup tasks_;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Workplace> place_;
  std::unique_ptr<Scenario> scenario_;  // after its workplace, so that it goes before it
  Effort effort_;
  bool measuring_ = false;
  bool ended_ = false;
};

int serve(int descriptor, const WorkerOptions& options) {
  auto key = read_operator_key(options.operator_key_file);
  if (!key) {
    std::cerr << "holdfast-load worker: " << key.error().message << "\n";
    ::close(descriptor);
    return kExitNotStarted;
  }
  boost::asio::io_context io(1);
  tcp::socket socket(io, tcp::v4(), descriptor);
  Worker worker(io.get_executor(), options, std::move(*key));
  TaskGroup tasks(io.get_executor());
  tasks.spawn("worker", worker.run(std::move(socket)));
  io.run();
  return kExitGood;
}

/// Plain calls: processes are forked here, and no loop of Asio's may be running then.
int listening_socket(const HostPort& where) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(where.port);
  const bool good = ::inet_pton(AF_INET, where.host.c_str(), &address.sin_addr) == 1 &&
                    ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                    ::listen(listener, 64) == 0;
  if (good) return listener;
  ::close(listener);
  return -1;
}

int listen_and_serve(const HostPort& where, const WorkerOptions& options) {
  auto key = read_operator_key(options.operator_key_file);
  const int listener = key ? listening_socket(where) : -1;
  if (!key || listener < 0) {
    std::cerr << "holdfast-load worker: "
              << (key ? "can't listen on " + where.str() + " (an IPv4 address of this machine, and a free port?)"
                      : key.error().message)
              << "\n";
    return kExitNotStarted;
  }
  sockaddr_in bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
  std::cout << "listening on " << where.host << ":" << ntohs(bound.sin_port) << std::endl;
  ::signal(SIGCHLD, SIG_IGN);  // nobody asks how they ended
  while (true) {
    const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) continue;
    if (::fork() == 0) {
      ::close(listener);
      ::_exit(serve(descriptor, options));
    }
    ::close(descriptor);
  }
}

int connect_and_serve(const WorkerOptions& options) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.conductor);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return serve(descriptor, options);
  ::close(descriptor);
  std::cerr << "holdfast-load worker: no conductor there\n";
  return kExitNotStarted;
}

}  // namespace

int run_worker(const WorkerOptions& options) {
  if (options.conductor != 0) return connect_and_serve(options);
  auto where = parse_host_port(options.listen);
  if (where) return listen_and_serve(*where, options);
  std::cerr << "holdfast-load worker: " << where.error().message << "\n";
  return kExitUsage;
}

}  // namespace holdfast::load
