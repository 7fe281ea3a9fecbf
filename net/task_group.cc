#include "net/task_group.h"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <list>

#include "base/check.h"

namespace holdfast {

namespace asio = boost::asio;

namespace {

void log_end(const std::string& name, std::exception_ptr failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return;
    spdlog::error("task_failed task={} reason=\"{}\"", name, error.what());
  } catch (const std::exception& error) {
    spdlog::error("task_failed task={} reason=\"{}\"", name, error.what());
  }
}

}  // namespace

struct TaskGroup::State {
  struct Task {
    std::string name;
    asio::cancellation_signal signal;
    bool ended = false;
  };

  explicit State(any_io_executor on)
      : executor(std::move(on)), ended(executor, asio::steady_timer::time_point::max()) {}

  /// Cancelling mostly posts the ends of the waits, but a Beast operation that waits for its turn ends at once, and its
  /// task may end with it, right here: such a task stays in the list until all have been told.
  void emit(asio::cancellation_type type) {
    ++emitting;
    for (auto& task : tasks)
      if (!task.ended) task.signal.emit(type);
    if (--emitting > 0) return;  // a task that ended here signalled its own group
    tasks.remove_if([](const Task& task) { return task.ended; });
    if (tasks.empty()) ended.cancel();
  }

  void end(std::list<Task>::iterator task) {
    task->ended = true;
    if (emitting > 0) return;
    tasks.erase(task);
    if (tasks.empty()) ended.cancel();
  }

  any_io_executor executor;
  asio::steady_timer ended;  ///< never expires; cancelled when the last task has ended
  std::list<Task> tasks;     ///< a list: signals don't move
  bool cancelled = false;
  int emitting = 0;  ///< depth of emit()
};

/// A signal that is emitted outside of the loop is posted by co_spawn with a pointer into the task, which may have ended
/// when it arrives. Emitted within the loop it goes off at once.
void TaskGroup::emit_in_loop(const std::shared_ptr<State>& state, asio::cancellation_type type) {
  asio::dispatch(state->executor, [state, type] { state->emit(type); });
}

TaskGroup::TaskGroup(any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() { HF_CHECK(state_->tasks.empty(), "a task group must be joined before it goes"); }

void TaskGroup::spawn(std::string name, Awaitable<void> task) {
  if (state_->cancelled) return;  // `task` goes with what it holds, without having run
  auto& tasks = state_->tasks;
  const auto at = tasks.emplace(tasks.end());
  at->name = std::move(name);
  auto on_end = [state = state_, at](std::exception_ptr failure) {
    log_end(at->name, failure);
    state->end(at);
  };
  asio::co_spawn(state_->executor, std::move(task), asio::bind_cancellation_slot(at->signal.slot(), std::move(on_end)));
}

void TaskGroup::drain() { emit_in_loop(state_, asio::cancellation_type::total); }

void TaskGroup::cancel() {
  state_->cancelled = true;
  emit_in_loop(state_, asio::cancellation_type::terminal);
}

Awaitable<void> TaskGroup::join() {
  const auto state = state_;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto passed_on = asio::cancellation_type::none;
  while (!state->tasks.empty()) {
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != passed_on) {
      passed_on = cancellation.cancelled();
      state->emit(passed_on);
    }
    co_await state->ended.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

std::size_t TaskGroup::size() const { return state_->tasks.size(); }

any_io_executor TaskGroup::executor() const { return state_->executor; }

}  // namespace holdfast
