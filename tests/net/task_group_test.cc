#include "net/task_group.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <vector>

#include "tests/net/loop.h"

namespace holdfast {
namespace {

namespace asio = boost::asio;
using namespace testing;
using Notes = std::vector<std::string>;

/// Waits until it is cancelled, then notes that it ended.
Awaitable<void> wait_forever(std::string name, Notes& notes) {
  asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
  notes.push_back(name);
}

Awaitable<void> listen_for_drain(Notes& notes) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await wait_forever("drained", notes);
}

Awaitable<void> fail(Notes& notes) {
  notes.emplace_back("failing");
  throw std::runtime_error("for the test's sake");
  co_return;
}

Awaitable<void> note(std::string what, Notes& notes) {
  notes.push_back(what);
  co_return;
}

Awaitable<void> join_and_note(TaskGroup& group, Notes& notes) {
  co_await group.join();
  notes.emplace_back("joined");
}

TEST_CASE("TaskGroup: cancel ends every task, and join returns after the last one") {
  Loop loop;
  Notes notes;
  TaskGroup group(loop.executor());
  group.spawn("a", wait_forever("a", notes));
  group.spawn("b", wait_forever("b", notes));
  loop.spawn(join_and_note(group, notes));
  loop.poll();
  REQUIRE(notes.empty());
  REQUIRE(group.size() == 2);
  asio::post(loop.executor(), [&group] { group.cancel(); });
  loop.run();
  REQUIRE(notes == Notes{"a", "b", "joined"});
  REQUIRE(group.size() == 0);
}

TEST_CASE("TaskGroup: join of an empty group returns at once") {
  Loop loop;
  Notes notes;
  TaskGroup group(loop.executor());
  loop.spawn(join_and_note(group, notes));
  loop.poll();
  REQUIRE(notes == Notes{"joined"});
}

TEST_CASE("TaskGroup: a task that fails leaves the others alone") {
  Loop loop;
  Notes notes;
  TaskGroup group(loop.executor());
  group.spawn("bad", fail(notes));
  group.spawn("good", wait_forever("good", notes));
  loop.poll();
  REQUIRE(notes == Notes{"failing"});
  REQUIRE(group.size() == 1);
  group.cancel();
  loop.run();
  REQUIRE(notes == Notes{"failing", "good"});
}

TEST_CASE("TaskGroup: drain reaches only those who listen for it") {
  Loop loop;
  Notes notes;
  TaskGroup group(loop.executor());
  group.spawn("listener", listen_for_drain(notes));
  group.spawn("other", wait_forever("other", notes));
  loop.poll();
  asio::post(loop.executor(), [&group] { group.drain(); });
  loop.poll();
  REQUIRE(notes == Notes{"drained"});
  asio::post(loop.executor(), [&group] { group.cancel(); });
  loop.run();
  REQUIRE(notes == Notes{"drained", "other"});
}

TEST_CASE("TaskGroup: a task spawned after cancel does not start") {
  Loop loop;
  Notes notes;
  TaskGroup group(loop.executor());
  group.cancel();
  group.spawn("late", note("ran", notes));
  loop.run();
  REQUIRE(notes.empty());
  REQUIRE(group.size() == 0);
}

Awaitable<void> parent(Notes& notes) {
  TaskGroup children(co_await asio::this_coro::executor);
  children.spawn("child", wait_forever("child", notes));
  co_await children.join();
  notes.emplace_back("parent");
}

TEST_CASE("TaskGroup: cancelling a parent that joins cancels its children, and it still awaits them") {
  Loop loop;
  Notes notes;
  TaskGroup group(loop.executor());
  group.spawn("parent", parent(notes));
  loop.poll();
  asio::post(loop.executor(), [&group] { group.cancel(); });
  loop.run();
  REQUIRE(notes == Notes{"child", "parent"});
}

}  // namespace
}  // namespace holdfast
