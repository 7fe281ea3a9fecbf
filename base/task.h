/// Task<T>: a coroutine that waits for answers, without Asio: straight-line code for what takes several steps.
///
/// Lazy: it runs when awaited, or when given to run_task(). Its frame lives until it ends, or until whoever was to
/// resume it lets the resumption go: dropping an Awaited's callback unused destroys the waiting coroutine and all it
/// awaits in. Thread: whichever resumes it; we resume on the worker that started it. Exceptions are bugs here: they end
/// the process.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"

namespace holdfast {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> waiting;  ///< who awaits us, resumed at our end

    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Resume {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().waiting ? self.promise().waiting : std::noop_coroutine();
        }
        void await_resume() noexcept {}
      };
      return Resume{};
    }
    void return_value(T v) { value.emplace(std::move(v)); }
    void unhandled_exception() { check_failed("no exception", __FILE__, __LINE__, "a task threw"); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
    handle_.promise().waiting = waiting;
    return handle_;
  }
  T await_resume() { return std::move(*handle_.promise().value); }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
/// The outermost frame: owned by whatever will resume it.
struct Root {
  struct promise_type {
    Root get_return_object() { return Root{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept {
      if (alive) *alive = false;
      return {};
    }
    void return_void() {}
    void unhandled_exception() { check_failed("no exception", __FILE__, __LINE__, "a task threw"); }
    std::shared_ptr<bool> alive;
  };
  std::coroutine_handle<promise_type> handle;
};

/// The root of the task that is running on this thread: awaits hand it on to who resumes.
struct RootOwner {
  std::coroutine_handle<Root::promise_type> handle;
  std::shared_ptr<bool> alive;
  ~RootOwner() {
    if (*alive) handle.destroy();
  }
};
inline thread_local std::shared_ptr<RootOwner> running_root;

template <class T, class Then>
Root root_of(Task<T> task, Then then) {
  T value = co_await task;
  then(std::move(value));
}
}  // namespace detail

/// Runs the task until it first waits; `then` gets its value when it ends, and is dropped if it never does.
template <class T, class Then>
void run_task(Task<T> task, Then then) {
  detail::Root root = detail::root_of<T, Then>(std::move(task), std::move(then));
  auto alive = std::make_shared<bool>(true);
  root.handle.promise().alive = alive;
  auto outer = std::exchange(detail::running_root, std::make_shared<detail::RootOwner>(root.handle, alive));
  root.handle.resume();
  detail::running_root = std::move(outer);
}

/// Awaits a callback: `start` is given a function to call once, with the value. If every copy of that function is
/// dropped uncalled, the task is destroyed.
template <class T>
class Awaited {
 public:
  using Resume = std::function<void(T)>;
  explicit Awaited(std::function<void(Resume)> start) : start_(std::move(start)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    struct Link {
      std::shared_ptr<detail::RootOwner> root;
      std::coroutine_handle<> waiting;
      Awaited* awaited;
    };
    HF_CHECK(detail::running_root != nullptr, "a task is run by run_task()");
    auto link = std::make_shared<Link>(Link{detail::running_root, waiting, this});
    auto start = std::move(start_);  // the frame, and this with it, may be gone before start() returns
    start([link](T value) {
      HF_CHECK(link->root != nullptr, "resumed once");
      auto root = std::exchange(link->root, nullptr);
      link->awaited->value_.emplace(std::move(value));
      auto outer = std::exchange(detail::running_root, root);
      link->waiting.resume();
      detail::running_root = std::move(outer);
    });
  }
  T await_resume() { return std::move(*value_); }

 private:
  std::function<void(Resume)> start_;
  std::optional<T> value_;
};

}  // namespace holdfast
