/// A set of coroutines that are started, cancelled and awaited together; nothing is ever detached.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "net/asio.h"

namespace holdfast {

/// Owned by whoever must outlive the tasks; on the thread of its executor. Destroying one that still has tasks is a bug
/// and CHECKs: `co_await join()` first. (Its io_context may be gone already: then so are the tasks.)
///
/// A task that ends by an exception is logged once, with its name, and does not touch the others; being cancelled
/// (operation_aborted) is an ordinary end and is not logged.
class TaskGroup {
 public:
  explicit TaskGroup(any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `task`, not before the caller returns to the loop. `name` is for the log. After cancel(), the task is
  /// cancelled before it starts.
  void spawn(std::string name, Awaitable<void> task);

  /// Gentle: asks tasks that chose to listen (reset_cancellation_state with total cancellation) to finish up. Others
  /// don't notice.
  void drain();
  /// Hard: every wait that a task is in ends with operation_aborted, and the next co_await throws it. Also for tasks
  /// that are spawned later.
  void cancel();

  /// Returns when the last task has ended; at once if there is none. Does not cancel, and is not cut short by the
  /// caller's own cancellation. Any number may wait.
  Awaitable<void> join();

  std::size_t size() const;
  any_io_executor executor() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast
