#include "failover/io/etcd_thread.h"

#include "base/check.h"

namespace holdfast::failover {
namespace {

constexpr std::chrono::milliseconds kConnectSlice{100};  ///< stop() may have to wait so long
constexpr std::chrono::milliseconds kPause{50};

}  // namespace

void EtcdThread::start(std::function<void(EtcdMember&)> follow) {
  HF_CHECK(!is_running(), "a thread is started once");
  stopping_ = false;
  thread_ = std::thread([this, follow = std::move(follow)] { run(follow); });
}

void EtcdThread::stop() {
  if (!is_running()) return;
  HF_CHECK(!is_this_thread(), "a thread can't wait for its own end");
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (cancel_) cancel_();
  }
  told_.notify_all();
  thread_.join();
}

bool EtcdThread::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool EtcdThread::pause() {
  std::unique_lock lock(mutex_);
  return !told_.wait_for(lock, kPause, [this] { return stopping_; });
}

void EtcdThread::run(const std::function<void(EtcdMember&)>& follow) {
  while (!is_stopping()) {
    EtcdMember* member = client_.connected(std::chrono::steady_clock::now() + kConnectSlice);
    if (member == nullptr) continue;
    follow(*member);
    if (is_stopping()) return;
    client_.avoid(*member);
    if (!pause()) return;
  }
}

EtcdThread::Cancelling::Cancelling(EtcdThread& thread, std::function<void()> cancel) : thread_(thread) {
  const std::lock_guard lock(thread_.mutex_);
  thread_.cancel_ = std::move(cancel);
  if (thread_.stopping_) thread_.cancel_();
}

EtcdThread::Cancelling::~Cancelling() {
  const std::lock_guard lock(thread_.mutex_);
  thread_.cancel_ = nullptr;
}

}  // namespace holdfast::failover
