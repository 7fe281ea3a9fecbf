/// A set of coroutines that are started, cancelled and awaited together; nothing is ever detached.
#pragma once

#include <boost/asio/cancellation_type.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "net/asio.h"

namespace holdfast {

/// Owned by whoever must outlive the tasks; used from within the loop of its executor (or before the loop runs).
/// Destroying one that still has tasks is a bug and CHECKs: `co_await join()` first.
///
/// A task that ends by an exception is logged once, with its name, and does not touch the others; being cancelled
/// (operation_aborted) is an ordinary end and is not logged.
class TaskGroup {
 public:
  explicit TaskGroup(any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `task`, not before the caller returns to the loop. `name` is for the log. After cancel(), the task never
  /// runs: what it was given is destroyed.
  void spawn(std::string name, Awaitable<void> task);

  /// Gentle: asks tasks that chose to listen (reset_cancellation_state with total cancellation) to finish up. Others
  /// don't notice.
  void drain();
  /// Hard: every wait that a task is in ends with operation_aborted, and the next co_await throws it. Also for tasks
  /// that are spawned later.
  void cancel();

  /// Returns when the last task has ended; at once if there is none. Does not cancel by itself, but passes on to the
  /// tasks whatever cancellation reaches the caller while it waits, and goes on waiting: the caller's next co_await
  /// throws. (A caller that may be cancelled before it gets here sets throw_if_cancelled(false) first.)
  Awaitable<void> join();

  std::size_t size() const;
  any_io_executor executor() const;

 private:
  struct State;
  static void emit_in_loop(const std::shared_ptr<State>& state, boost::asio::cancellation_type type);
  std::shared_ptr<State> state_;
};

}  // namespace holdfast
