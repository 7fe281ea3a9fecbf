/// Film: what is done to the cluster, and what its clients make of it.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "net/task_group.h"
#include "tools/holdfast-demo/film.h"

namespace holdfast::demo {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::duration<double> kBackMax{20};
constexpr milliseconds kLook{50};
constexpr milliseconds kGlance{2};  ///< how exactly we know when a client is back

SteadyTime in(std::chrono::duration<double> time) {
  return steady_now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

}  // namespace

Awaitable<Status> Film::kill_busiest() {
  const DemoNode& node = busiest("");
  result_.killed = node.name;
  screen_.title(fmt::format("kill -9 {}, which has the most clients: {}", node.name, sessions_at(node)));
  for (const client::Client* one : clients())
    if (one->endpoint().port == node.clients.port) moved_.push_back({one, one->resumes()});
  const SteadyTime killed_at = steady_now();
  const std::int64_t killed_at_ms = to_ms(wall_now());
  if (!cluster_.kill_hard(node)) co_return Error{Errc::io, node.name + " could not be killed: it does not run"};
  screen_.say(node.name + " is dead");
  TaskGroup watching(executor_);
  watching.spawn("clients", watch_clients(killed_at));
  watching.spawn("failover", watch_failover(killed_at_ms));
  co_await watching.join();
  co_await chat(options_.act);
  co_return Ok{};
}

/// By the history of the survivors: the first verdict, and the last partition that found another primary.
Awaitable<void> Film::watch_failover(std::int64_t killed_at_ms) {
  const SteadyTime until = in(kBackMax);
  std::optional<std::uint32_t> killed;
  std::optional<std::int64_t> told_detected;
  bool over = false;
  while (!over && steady_now() < until) {
    co_await pause(kLook);
    const auto cluster = co_await cluster_.look(result_.killed);
    if (!cluster) continue;
    for (const auto& node : cluster->nodes)
      if (node.name == result_.killed) killed = node.id;
    over = killed && std::none_of(cluster->partitions.begin(), cluster->partitions.end(),
                                  [&](const auto& partition) { return partition.primary == *killed; });
    std::int64_t promoted = 0;
    for (const DemoNode& node : cluster_.nodes()) {
      if (node.name == result_.killed) continue;
      const auto told = co_await cluster_.events(node.admin, 0);
      if (!told) continue;
      for (const auto& event : told->events) {
        if (event.time_ms < killed_at_ms) continue;
        if (event.kind == "dead" && event.node == killed.value_or(0)) {
          const std::int64_t after = event.time_ms - killed_at_ms;
          result_.detected_ms = std::min(result_.detected_ms.value_or(after), after);
        }
        if (event.kind == "promoted") promoted = std::max(promoted, event.time_ms - killed_at_ms);
      }
    }
    if (over && promoted > 0) result_.promoted_ms = promoted;
    if (result_.detected_ms && !told_detected) screen_.say(fmt::format("detected after {} ms", *result_.detected_ms));
    told_detected = result_.detected_ms;
  }
  if (result_.promoted_ms)
    screen_.say(fmt::format("all partitions promoted elsewhere after {} ms", *result_.promoted_ms));
}

Awaitable<void> Film::watch_clients(SteadyTime killed_at) {
  std::vector<Moved> away = moved_;
  const SteadyTime until = in(kBackMax);
  while (!away.empty() && steady_now() < until) {
    co_await pause(kGlance);
    const SteadyTime now = steady_now();
    std::erase_if(away, [&](const Moved& one) {
      const bool back = one.client->online() && one.client->resumes() > one.resumes_before;
      if (back) result_.back.add(now - killed_at);
      return back;
    });
  }
  result_.not_back = away.size();
  screen_.say(fmt::format("{} of {} clients are back: p50 {:.0f} ms, p99 {:.0f} ms, the last one {:.0f} ms",
                          result_.back.count(), moved_.size(), in_ms(result_.back.at(0.5)),
                          in_ms(result_.back.at(0.99)), in_ms(result_.back.max())));
}

Awaitable<Status> Film::bring_back() {
  const DemoNode& node = *cluster_.node(result_.killed);
  screen_.title(node.name + " is started again");
  const SteadyTime began = steady_now();
  if (!cluster_.start(node)) co_return Error{Errc::io, node.name + " could not be started again"};
  const SteadyTime until = in(options_.in_sync_max);
  while (true) {
    const auto cluster = co_await cluster_.look(node.name);
    if (cluster && is_whole(*cluster, result_.nodes)) break;
    if (steady_now() >= until) co_return Error{Errc::retry_later, node.name + " was not in sync in time"};
    show_status("catching up");
    co_await pause(kLook);
  }
  result_.rejoined_ms = std::chrono::duration_cast<milliseconds>(steady_now() - began).count();
  screen_.say(fmt::format("in sync again after {:.1f} s, with what it had missed",
                          static_cast<double>(*result_.rejoined_ms) / 1000));
  co_await chat(options_.act / 2);
  co_return Ok{};
}

Awaitable<Status> Film::drain_another() {
  const DemoNode& node = busiest(result_.killed);
  result_.drained = node.name;
  screen_.title("drain " + node.name + ": everything is moved away first");
  const auto cluster = co_await cluster_.look();
  std::uint32_t id = 0;
  if (cluster)
    for (const auto& one : cluster->nodes)
      if (one.name == node.name) id = one.id;
  figures_.delivery.clear();
  auto asked = co_await cluster_.post(node.admin, "/admin/drain?node=" + std::to_string(id));
  if (!asked) co_return asked.error();
  const SteadyTime until = in(options_.in_sync_max);
  while (true) {
    const auto now = co_await cluster_.look();
    const auto one =
        now ? std::find_if(now->nodes.begin(), now->nodes.end(), [&](const auto& other) { return other.id == id; })
            : std::vector<http::NodeFigures>::const_iterator();
    if (now && one != now->nodes.end() && one->draining && one->primaries == 0) break;
    if (steady_now() >= until) co_return Error{Errc::retry_later, node.name + " was not drained in time"};
    show_status("draining");
    co_await pause(kLook);
  }
  screen_.say(node.name + " leads nothing any more");
  co_await chat(options_.act);
  result_.drain_late_ms_max = in_ms(figures_.delivery.max());
  screen_.say(fmt::format("the latest of {} deliveries meanwhile took {:.0f} ms", figures_.delivery.count(),
                          result_.drain_late_ms_max));
  co_return Ok{};
}

}  // namespace holdfast::demo
