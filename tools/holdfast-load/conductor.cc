#include "tools/holdfast-load/conductor.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include "tools/holdfast-load/provisioning.h"

namespace holdfast::load {
namespace {

namespace json = boost::json;
using boost::asio::use_awaitable;

constexpr std::chrono::seconds kStartMax{120};
constexpr std::chrono::milliseconds kLook{5};

json::array share_json(const Share& share) { return {share.index, share.of}; }

}  // namespace

Conductor::Conductor(any_io_executor executor, ConductorOptions options)
    : executor_(executor), options_(std::move(options)), tasks_(executor) {}

Conductor::~Conductor() {
  for (const pid_t process : processes_) {
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
}

// ------------------------------------------------------------------------------------------------ starting

bool Conductor::spawn_process(std::uint16_t port) {
  const std::string at = std::to_string(port);
  const std::string& key = options_.operator_key_file;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::execl("/proc/self/exe", "holdfast-load", "worker", "--conductor", at.c_str(), "--operator-key", key.c_str(),
            nullptr);
    ::_exit(127);
  }
  processes_.push_back(child);
  return true;
}

Awaitable<Status> Conductor::start_own() {
  boost::asio::ip::tcp::acceptor acceptor(executor_, {boost::asio::ip::address_v4::loopback(), 0});
  for (unsigned i = 0; i < options_.split.processes; ++i)
    if (!spawn_process(acceptor.local_endpoint().port())) co_return Error{Errc::io, "can't start another process"};
  // A timer that went off has its handler run also when it is cancelled just then, and the acceptor is gone by that.
  const auto waiting = std::make_shared<bool>(true);
  boost::asio::steady_timer timer(executor_, kStartMax);
  timer.async_wait([&acceptor, still = std::weak_ptr(waiting)](const error_code& error) {
    if (!error && !still.expired()) acceptor.cancel();
  });
  while (workers_.size() < options_.split.processes) {
    constexpr auto kAsTuple = boost::asio::experimental::as_tuple(use_awaitable);
    auto [error, socket] = co_await acceptor.async_accept(kAsTuple);
    if (error) co_return Error{Errc::io, "our worker processes did not come up"};
    auto worker = std::make_unique<Worker>();
    worker->name = "worker process " + std::to_string(workers_.size() + 1);
    worker->channel = std::make_unique<Channel>(std::move(socket), operator_key_, tasks_);
    workers_.push_back(std::move(worker));
  }
  timer.cancel();
  co_return Ok{};
}

Awaitable<Status> Conductor::dial() {
  for (unsigned i = 0; i < options_.split.processes; ++i) {
    const HostPort& where = options_.workers_at[i % options_.workers_at.size()];
    auto socket = co_await connect(where, kStartMax);
    if (!socket) co_return Error{socket.error().code, "worker: " + socket.error().message};
    auto worker = std::make_unique<Worker>();
    worker->name = "worker at " + where.str();
    worker->channel = std::make_unique<Channel>(std::move(*socket), operator_key_, tasks_);
    workers_.push_back(std::move(worker));
  }
  co_return Ok{};
}

Awaitable<Status> Conductor::start(Plan plan) {
  auto key = read_operator_key(options_.operator_key_file);
  if (!key) co_return key.error();
  operator_key_ = *key;
  Status there = Ok{};
  if (options_.workers_at.empty())
    there = co_await start_own();
  else
    there = co_await dial();
  if (!there) co_return there.error();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    auto greeted = co_await worker.channel->greet();
    if (!greeted) co_return Error{greeted.error().code, worker.name + ": " + greeted.error().message};
    const auto& sources = options_.split.sources[i];
    const json::object message{{"plan", json::parse(plan_to_json(plan))},
                               {"share", share_json(options_.split.share(i))},
                               {"live_share", share_json(options_.split.live_share(i))},
                               {"sources", json::value_from(sources)}};
    worker.channel->send(json::serialize(message));
    tasks_.spawn("worker", listen_to(this, &worker));
  }
  co_return Ok{};
}

// ------------------------------------------------------------------------------------------------ listening

Awaitable<void> Conductor::listen_to(Conductor* conductor, Worker* worker) {
  while (!worker->tally) {
    auto text = co_await worker->channel->read();
    if (text) {
      conductor->take(*worker, *text);
      continue;
    }
    if (worker->failure.empty()) worker->failure = text.error().message;
    break;
  }
  worker->ended = true;
}

void Conductor::take(Worker& worker, const std::string& text) {
  try {
    const json::value parsed = json::parse(text);
    const json::object& message = parsed.as_object();
    if (message.contains("say") && &worker == workers_.front().get()) say(std::string(message.at("say").as_string()));
    if (message.contains("failed")) worker.failure = std::string(message.at("failed").as_string());
    if (message.contains("tick"))
      for (const auto& [name, count] : message.at("tick").as_object())
        worker.counts[std::string(name)] = json::value_to<std::uint64_t>(count);
    if (message.contains("done")) {
      worker.done = true;
      for (const auto& [name, texts] : message.at("found").as_object())
        worker.found[std::string(name)] = json::value_to<std::vector<std::string>>(texts);
    }
    if (message.contains("tally")) {
      auto tally = tally_from_json(json::serialize(message.at("tally")));
      if (tally)
        worker.tally = std::move(*tally);
      else
        worker.failure = tally.error().message;
    }
  } catch (const std::exception& error) {
    worker.failure = std::string("it said what can't be read: ") + error.what();
  }
}

Awaitable<Status> Conductor::wait_for_all(std::function<bool(const Worker&)> done) {
  boost::asio::steady_timer timer(executor_);
  while (true) {
    bool all = true;
    for (const auto& worker : workers_) {
      if (done(*worker)) continue;
      if (!worker->failure.empty()) co_return Error{Errc::io, worker->name + ": " + worker->failure};
      all = false;
    }
    if (all) co_return Ok{};
    timer.expires_after(kLook);
    co_await timer.async_wait(use_awaitable);
  }
}

// ------------------------------------------------------------------------------------------------ telling

void Conductor::begin() {
  for (const auto& worker : workers_) worker->channel->send(R"({"begin":true})");
}

Awaitable<Result<Found>> Conductor::step(std::string name, Found found) {
  json::object lists;
  for (const auto& [key, texts] : found) lists[key] = json::value_from(texts);
  const std::string order = json::serialize(json::object{{"step", name}, {"found", std::move(lists)}});
  for (const auto& worker : workers_) {
    worker->done = false;
    worker->found.clear();
    worker->channel->send(order);
  }
  auto all = co_await wait_for_all([](const Worker& worker) { return worker.done; });
  if (!all) co_return all.error();
  Found together;
  for (const auto& worker : workers_)
    for (auto& [key, texts] : worker->found) {
      auto& list = together[key];
      list.insert(list.end(), texts.begin(), texts.end());
    }
  co_return together;
}

Awaitable<void> Conductor::tell_fault() {
  for (const auto& worker : workers_) worker->channel->send(R"({"fault":true})");
  for (const auto& worker : workers_) co_await worker->channel->drain();
  // They are to hear of it before they notice it.
  constexpr std::chrono::milliseconds kHeard{20};
  boost::asio::steady_timer timer(executor_, kHeard);
  co_await timer.async_wait(use_awaitable);
}

Awaitable<Result<Tally>> Conductor::finish() {
  for (const auto& worker : workers_) worker->channel->send(R"({"finish":true})");
  auto all = co_await wait_for_all([](const Worker& worker) { return worker.tally.has_value(); });
  if (!all) co_return all.error();
  Tally together;
  for (const auto& worker : workers_) together.merge(*worker->tally);
  co_return together;
}

Awaitable<void> Conductor::close() {
  for (const auto& worker : workers_) worker->channel->close();
  co_await tasks_.join();
}

std::uint64_t Conductor::count(const std::string& name) const {
  std::uint64_t all = 0;
  for (const auto& worker : workers_)
    if (const auto found = worker->counts.find(name); found != worker->counts.end()) all += found->second;
  return all;
}

}  // namespace holdfast::load
