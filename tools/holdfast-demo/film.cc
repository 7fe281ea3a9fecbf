#include "tools/holdfast-demo/film.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <iostream>

#include "base/random.h"
#include "net/task_group.h"
#include "tools/holdfast-load/history_reader.h"

namespace holdfast::demo {
namespace {

using boost::asio::use_awaitable;
using std::chrono::milliseconds;

constexpr std::chrono::duration<double> kStartMax{60};
constexpr milliseconds kLook{50};

load::Options load_options(const Options& options, const DemoCluster& cluster) {
  load::Options all;
  for (const DemoNode& node : cluster.nodes()) all.endpoints.push_back(node.clients);
  all.operator_key_file = cluster.operator_key_file();
  all.pairs = options.pairs;
  all.rate = options.rate;
  all.body_bytes = 100;
  return all;
}

std::vector<std::string> user_names(std::uint32_t pairs) {
  SystemRandom random;
  const std::uint64_t run = random.next() & 0xffffffff;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < 2 * pairs; ++i) names.push_back(fmt::format("demo-{:08x}-{}", run, i));
  return names;
}

}  // namespace

Film::Film(any_io_executor executor, const Options& options, DemoCluster cluster)
    : executor_(executor),
      options_(options),
      cluster_(std::move(cluster)),
      load_options_(load_options(options, cluster_)),
      runtime_(executor) {
  result_.nodes = cluster_.nodes().size();
  result_.clients = 2 * options.pairs;
}

Awaitable<void> Film::pause(milliseconds time) {
  boost::asio::steady_timer timer(executor_);
  timer.expires_after(time);
  co_await timer.async_wait(use_awaitable);
}

template <class Done>
Awaitable<bool> Film::wait_for_all(Done done, Seconds max) {
  const SteadyTime until = steady_now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(max);
  while (true) {
    if (std::all_of(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return done(*pair); })) co_return true;
    if (steady_now() >= until) co_return false;
    co_await pause(milliseconds(10));
  }
}

std::vector<const client::Client*> Film::clients() const {
  std::vector<const client::Client*> all;
  for (const auto& pair : pairs_) {
    all.push_back(&pair->sender_client());
    all.push_back(&pair->receiver_client());
  }
  return all;
}

std::size_t Film::sessions_at(const DemoNode& node) const {
  const auto all = clients();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const client::Client* one) {
    return one->endpoint().port == node.clients.port && one->online();
  }));
}

const DemoNode& Film::busiest(const std::string& but_not) const {
  const DemoNode* most = nullptr;
  for (const DemoNode& node : cluster_.nodes())
    if (node.name != but_not && (most == nullptr || sessions_at(node) > sessions_at(*most))) most = &node;
  return *most;
}

void Film::show_status(const std::string& what) {
  const SteadyTime now = steady_now();
  const Seconds since = now - shown_at_;
  if (since < std::chrono::seconds(1)) return;
  std::string where;
  for (const DemoNode& node : cluster_.nodes())
    where += fmt::format("{}{} {}", where.empty() ? "" : ", ", node.name, sessions_at(node));
  screen_.status(fmt::format("{}: {:.0f} messages/s, delivered in {:.0f} ms (p50), sessions {}", what,
                             static_cast<double>(figures_.acked - acked_shown_) / since.count(),
                             in_ms(figures_.delivery.at(0.5)), where));
  shown_at_ = now;
  acked_shown_ = figures_.acked;
}

// ------------------------------------------------------------------------------------------------ scenes

Awaitable<Status> Film::wait_until_whole(std::string what) {
  const SteadyTime until =
      steady_now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(options_.in_sync_max);
  while (steady_now() < until) {
    const auto cluster = co_await cluster_.look();
    if (cluster && is_whole(*cluster, result_.nodes) && is_even(*cluster)) co_return Ok{};
    // Evenness is comfort: without it the film goes on.
    if (cluster && is_whole(*cluster, result_.nodes) && steady_now() + std::chrono::seconds(40) > until) co_return Ok{};
    if (cluster)
      screen_.status(
          fmt::format("{}: {} of {} copies in sync", what, copies_in_sync(*cluster), 3 * cluster->partitions.size()));
    co_await pause(milliseconds(100));
  }
  co_return Error{Errc::retry_later, "not all copies were in sync in time"};
}

Awaitable<Status> Film::prepare() {
  screen_.title(fmt::format("{} nodes, every partition in three copies", result_.nodes));
  auto whole = co_await wait_until_whole("filling");
  if (!whole) co_return whole.error();
  screen_.say("all copies are in sync");
  auto names = user_names(options_.pairs);
  auto users = co_await load::provision(runtime_, load_options_, std::move(names));
  if (!users) co_return users.error();
  for (std::uint32_t i = 0; i < options_.pairs; ++i)
    pairs_.push_back(std::make_unique<load::Pair>(runtime_, load_options_, figures_, i, std::move((*users)[2 * i]),
                                                  std::move((*users)[2 * i + 1])));
  for (auto& pair : pairs_) pair->connect();
  const bool online = co_await wait_for_all([](const load::Pair& pair) { return pair.online(); }, kStartMax);
  if (!online) co_return Error{Errc::io, "not all clients came online within a minute"};
  for (auto& pair : pairs_) pair->connected_for_good();
  for (auto& pair : pairs_) pair->open();
  const bool opened = co_await wait_for_all([](const load::Pair& pair) { return pair.opened(); }, kStartMax);
  if (!opened) co_return Error{Errc::io, "not all conversations opened within a minute"};
  co_return Ok{};
}

Awaitable<void> Film::send_steadily() {
  const SteadyTime began = steady_now();
  boost::asio::steady_timer timer(executor_);
  for (std::uint64_t i = 0; sending_; ++i) {
    const Seconds offset(static_cast<double>(i) / options_.rate);
    const SteadyTime planned = began + std::chrono::duration_cast<std::chrono::steady_clock::duration>(offset);
    timer.expires_at(planned);
    co_await timer.async_wait(use_awaitable);
    pairs_[i % pairs_.size()]->send(planned);
  }
}

Awaitable<void> Film::chat(Seconds time) {
  const SteadyTime until = steady_now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
  while (steady_now() < until) {
    co_await pause(kLook);
    show_status("chatting");
  }
}

Awaitable<Status> Film::settle_and_check() {
  screen_.title("Everything is read back and checked");
  const bool settled =
      co_await wait_for_all([](const load::Pair& pair) { return pair.settled(); }, options_.in_sync_max);
  if (!settled) screen_.say("waited no longer for what is still under way");
  for (auto& pair : pairs_) pair->close();
  auto read = co_await load::read_histories(runtime_, load_options_, pairs_);
  if (!read) co_return read.error();
  for (auto& pair : pairs_) {
    result_.unacknowledged += pair->checker().unacknowledged();
    const auto findings = pair->checker().finish(true);
    result_.findings.lost += findings.lost;
    result_.findings.duplicated += findings.duplicated;
    result_.findings.out_of_order += findings.out_of_order;
  }
  result_.messages = figures_.acked;
  co_return Ok{};
}

Awaitable<Status> Film::play() {
  auto done = co_await prepare();
  if (!done) co_return done.error();
  screen_.title(fmt::format("{} clients chat, {:.0f} messages a second", result_.clients, options_.rate));
  TaskGroup sending(executor_);
  sending_ = true;
  shown_at_ = steady_now();
  sending.spawn("send", send_steadily());
  co_await chat(options_.act);
  done = co_await kill_busiest();
  if (done) done = co_await bring_back();
  if (done) done = co_await drain_another();
  sending_ = false;
  co_await sending.join();
  if (done) done = co_await settle_and_check();
  if (!done) co_return done.error();
  co_return Ok{};
}

void Film::show_result() {
  const auto ms = [](const std::optional<std::int64_t>& value) {
    return value ? fmt::format("{} ms", *value) : std::string("not seen");
  };
  screen_.title("kill -9 of " + result_.killed + ", drain of " + result_.drained);
  screen_.figure("detected after", ms(result_.detected_ms));
  screen_.figure("promoted after", ms(result_.promoted_ms));
  screen_.figure(
      "clients back after",
      fmt::format("{:.0f} ms (p50), {:.0f} ms (p99)", in_ms(result_.back.at(0.5)), in_ms(result_.back.at(0.99))),
      result_.not_back == 0);
  screen_.figure("latest delivery while draining", fmt::format("{:.0f} ms", result_.drain_late_ms_max));
  screen_.figure("messages", fmt::format("{} acknowledged, {} not", result_.messages, result_.unacknowledged),
                 result_.unacknowledged == 0);
  screen_.figure("lost", std::to_string(result_.findings.lost), result_.findings.lost == 0);
  screen_.figure("duplicated", std::to_string(result_.findings.duplicated), result_.findings.duplicated == 0);
  screen_.figure("out of order", std::to_string(result_.findings.out_of_order), result_.findings.out_of_order == 0);
  for (const auto& [what, times] : figures_.errors) screen_.say(fmt::format("{} times: {}", times, what));
}

bool Film::write_json() const {
  std::ofstream file(options_.json_file);
  file << to_json(result_);
  file.close();
  if (!file) std::cerr << "holdfast-demo: can't write " << options_.json_file << "\n";
  return !file.fail();
}

Awaitable<int> Film::run() {
  const SteadyTime began = steady_now();
  auto played = co_await play();
  result_.seconds = Seconds(steady_now() - began).count();
  co_await boost::asio::post(executor_, use_awaitable);
  pairs_.clear();
  runtime_.cancel();
  if (!played) {
    screen_.say("the film broke off: " + played.error().message);
    for (const auto& [what, times] : figures_.errors) screen_.say(fmt::format("{} times: {}", times, what));
    co_return static_cast<int>(kExitNotStarted);
  }
  show_result();
  const bool written = options_.json_file.empty() || write_json();
  if (!written) co_return static_cast<int>(kExitUsage);
  co_return static_cast<int>(result_.good() ? kExitGood : kExitFindings);
}

}  // namespace holdfast::demo
