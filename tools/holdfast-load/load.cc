#include "tools/holdfast-load/load.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>

#include "base/random.h"
#include "tools/holdfast-load/history_reader.h"

namespace holdfast::load {
namespace {

using boost::asio::use_awaitable;
using std::chrono::milliseconds;

constexpr milliseconds kLook{10};
constexpr std::chrono::duration<double> kStartMax{60};
/// Connections begun at once: the server's backlog and the client's time-outs are not what is measured.
constexpr std::size_t kConnectAtOnce = 100;

std::chrono::steady_clock::duration ticks(std::chrono::duration<double> time) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

std::vector<std::string> user_names(std::uint32_t pairs) {
  SystemRandom random;
  const std::uint64_t run = random.next();
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < 2 * pairs; ++i) names.push_back(fmt::format("load-{:08x}-{}", run & 0xffffffff, i));
  return names;
}

}  // namespace

Load::Load(any_io_executor executor, const Options& options)
    : executor_(executor), options_(options), runtime_(executor), server_(options) {
  report_.options = &options_;
  report_.figures = &figures_;
}

Awaitable<bool> Load::wait_for_all(bool (*done)(const Pair&), Seconds max) {
  boost::asio::steady_timer timer(executor_);
  const SteadyTime until = steady_now() + ticks(max);
  while (true) {
    if (std::all_of(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return done(*pair); })) co_return true;
    if (steady_now() >= until) co_return false;
    timer.expires_after(kLook);
    co_await timer.async_wait(use_awaitable);
  }
}

// ------------------------------------------------------------------------------------------------ before

Awaitable<Status> Load::prepare() {
  progress_.say(fmt::format("making {} users", 2 * options_.pairs));
  auto names = user_names(options_.pairs);
  auto users = co_await provision(runtime_, options_, std::move(names));
  if (!users) co_return users.error();
  for (std::uint32_t i = 0; i < options_.pairs; ++i)
    pairs_.push_back(std::make_unique<Pair>(runtime_, options_, figures_, i, std::move((*users)[2 * i]),
                                            std::move((*users)[2 * i + 1])));
  auto connected = co_await connect_all();
  if (!connected) co_return connected.error();
  auto opened = co_await open_all();
  co_return opened;
}

Awaitable<Status> Load::connect_all() {
  progress_.say(fmt::format("connecting {} sessions", 2 * options_.pairs));
  boost::asio::steady_timer timer(executor_);
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    pairs_[i]->connect();
    if ((i + 1) % (kConnectAtOnce / 2) != 0) continue;
    timer.expires_after(kLook);
    co_await timer.async_wait(use_awaitable);
  }
  const bool all = co_await wait_for_all([](const Pair& pair) { return pair.online(); }, kStartMax);
  if (!all) co_return Error{Errc::io, "not all sessions came online within a minute"};
  for (auto& pair : pairs_) pair->connected_for_good();
  co_return Ok{};
}

Awaitable<Status> Load::open_all() {
  for (auto& pair : pairs_) pair->open();
  const bool all = co_await wait_for_all([](const Pair& pair) { return pair.opened(); }, kStartMax);
  if (!all) co_return Error{Errc::io, "not all conversations opened within a minute"};
  co_return Ok{};
}

// ------------------------------------------------------------------------------------------------ the load

Awaitable<void> Load::send_at_rate(SteadyTime until) {
  boost::asio::steady_timer timer(executor_);
  for (std::uint64_t i = 0;; ++i) {
    const SteadyTime planned = started_ + ticks(Seconds(static_cast<double>(i) / options_.rate));
    if (planned >= until) co_return;
    if (planned > steady_now()) {
      timer.expires_at(planned);
      co_await timer.async_wait(use_awaitable);
    }
    pairs_[i % pairs_.size()]->send(planned);
    // Far behind, sending alone would keep the loop from reading.
    constexpr std::uint64_t kSendsAtOnce = 64;
    if (i % kSendsAtOnce == kSendsAtOnce - 1) co_await boost::asio::post(executor_, use_awaitable);
  }
}

Awaitable<void> Load::measure() {
  boost::asio::steady_timer timer(executor_);
  timer.expires_at(started_ + ticks(options_.warmup));
  co_await timer.async_wait(use_awaitable);

  const SteadyTime from = steady_now();
  const std::uint64_t acked = figures_.acked;
  const std::uint64_t delivered = figures_.delivered;
  figures_.ack.clear();
  figures_.delivery.clear();
  server_.start_counting();

  const SteadyTime until = from + ticks(options_.seconds);
  while (steady_now() < until) {
    timer.expires_at(std::min(until, steady_now() + milliseconds(100)));
    co_await timer.async_wait(use_awaitable);
    progress_.tick(started_, figures_);
  }
  report_.measured = steady_now() - from;
  report_.acked_measured = figures_.acked - acked;
  report_.delivered_measured = figures_.delivered - delivered;
  report_.server_cpu = server_.cpu();
  for (auto& pair : pairs_) pair->stop();
}

Awaitable<void> Load::kill_now_and_then(SteadyTime until) {
  const bool once = options_.kill_every.count() == 0;
  const auto pause = ticks(once ? options_.warmup + options_.seconds / 2 : options_.kill_every);
  boost::asio::steady_timer timer(executor_);
  do {
    timer.expires_after(pause);
    co_await timer.async_wait(use_awaitable);
    if (steady_now() >= until) co_return;
    server_.kill();
    ++report_.kills;
    if (!server_.restart(options_.restart_command)) figures_.error("the server could not be started again");
  } while (!once);
}

Awaitable<void> Load::send_all() {
  progress_.say("sending");
  started_ = steady_now();
  const SteadyTime until = started_ + ticks(options_.warmup + options_.seconds);
  TaskGroup tasks(executor_);
  tasks.spawn("measure", measure());
  if (options_.kill_pid != 0) tasks.spawn("kill", kill_now_and_then(until));
  if (options_.rate > 0)
    tasks.spawn("send", send_at_rate(until));
  else
    for (auto& pair : pairs_) pair->keep_sending();
  co_await tasks.join();
}

// ------------------------------------------------------------------------------------------------ after

Awaitable<void> Load::settle() {
  progress_.end_line();
  const bool all = co_await wait_for_all([](const Pair& pair) { return pair.settled(); }, options_.settle_max);
  if (!all) progress_.say("waited no longer for what is still under way");
}

Awaitable<Status> Load::close_all() {
  for (auto& pair : pairs_) {
    report_.resumed += pair->resumed();
    report_.logins += pair->logins();
    pair->close();
  }
  if (!options_.read_history) co_return Ok{};
  progress_.say("reading the history back");
  auto read = co_await read_histories(runtime_, options_, pairs_);
  if (!read) co_return read.error();
  report_.history_checked = *read;
  co_return Ok{};
}

void Load::finish() {
  for (auto& pair : pairs_) {
    report_.unacknowledged += pair->checker().unacknowledged();
    const auto findings = pair->checker().finish(report_.history_checked > 0);
    report_.findings.lost += findings.lost;
    report_.findings.duplicated += findings.duplicated;
    report_.findings.out_of_order += findings.out_of_order;
  }
  if (server_.pid() != 0) report_.server_pid = server_.pid();
}

Awaitable<int> Load::run() {
  auto prepared = co_await prepare();
  if (!prepared) {
    std::cerr << "holdfast-load: " << prepared.error().message << "\n";
    for (const auto& [what, times] : figures_.errors) std::cerr << "  " << times << " times: " << what << "\n";
    co_await boost::asio::post(executor_, use_awaitable);
    pairs_.clear();
    co_return static_cast<int>(kExitNotStarted);
  }
  co_await send_all();
  co_await settle();
  auto closed = co_await close_all();
  if (!closed) figures_.error(closed.error().message);
  finish();
  co_await boost::asio::post(executor_, use_awaitable);
  pairs_.clear();

  std::cout << to_text(report_) << std::flush;
  if (!options_.json_file.empty()) {
    auto written = write_file(options_.json_file, to_json(report_));
    if (!written) std::cerr << "holdfast-load: " << written.error().message << "\n";
    if (!written) co_return static_cast<int>(kExitUsage);
  }
  co_return static_cast<int>(report_.good() ? kExitGood : kExitFindings);
}

}  // namespace holdfast::load
