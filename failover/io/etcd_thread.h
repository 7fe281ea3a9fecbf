/// A thread that follows a stream of etcd's, again and again, and can be told to stop at any moment.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "failover/io/etcd_client.h"

namespace holdfast::failover {

/// Owned by what it serves. start() and stop() from one thread at a time; the rest from the thread itself.
class EtcdThread {
 public:
  explicit EtcdThread(EtcdClient& client) : client_(client) {}
  ~EtcdThread() { stop(); }
  EtcdThread(const EtcdThread&) = delete;
  EtcdThread& operator=(const EtcdThread&) = delete;

  /// `follow` talks to a member until the stream ends or is cancelled; then it is called with the next.
  void start(std::function<void(EtcdMember&)> follow);
  /// Returns when `follow` has. Not from within it.
  void stop();
  bool is_running() const { return thread_.joinable(); }
  bool is_this_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

  /// While this exists, stop() calls `cancel`; at once if it was called before.
  class Cancelling {
   public:
    Cancelling(EtcdThread& thread, std::function<void()> cancel);
    ~Cancelling();
    Cancelling(const Cancelling&) = delete;
    Cancelling& operator=(const Cancelling&) = delete;

   private:
    EtcdThread& thread_;
  };
  bool is_stopping();

 private:
  void run(const std::function<void(EtcdMember&)>& follow);
  /// False: told to stop meanwhile.
  bool pause();

  EtcdClient& client_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;
  std::function<void()> cancel_;
};

}  // namespace holdfast::failover
