#include "storage/reader_pool.h"

#include <utility>

#include "base/check.h"

namespace holdfast {

ReaderPool::ReaderPool(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  HF_CHECK(threads > 0, "somebody has to read");
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ReaderPool::~ReaderPool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ReaderPool::post(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    if (jobs_.size() >= waiting_max_) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void ReaderPool::post_again(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

std::size_t ReaderPool::waiting() const {
  const std::scoped_lock lock(mutex_);
  return jobs_.size();
}

void ReaderPool::run() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace holdfast
