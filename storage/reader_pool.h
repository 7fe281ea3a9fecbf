/// A few threads that do what waits for the disk, first come first served.
///
/// Thread: post() from any; jobs run on the pool. Bound: `waiting_max` jobs that have not begun; post() refuses more.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast {

class ReaderPool {
 public:
  using Job = std::function<void()>;

  ReaderPool(std::size_t threads, std::size_t waiting_max);
  ~ReaderPool();  ///< does all jobs that were taken, then joins

  [[nodiscard]] bool post(Job job);
  /// For a job that was counted before: goes in whatever is waiting.
  void post_again(Job job);
  std::size_t waiting() const;

 private:
  void run();

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they start when everything else is there
};

}  // namespace holdfast
