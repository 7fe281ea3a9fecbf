/// Keeps gRPC going when the wall clock is set back.
///
/// gRPC (1.51, by way of its Abseil) waits for its next timer until a moment of the wall clock. If the clock is set back by
/// ten minutes meanwhile, it waits for ten minutes more, and no later timer wakes it: no deadline passes, no lost
/// connection is made again, and the node is blind to etcd. It has two sets of timers. The one with the deadlines of calls
/// is woken here. The other, with the pauses between attempts to connect, can't be: those pauses are cut short instead.
/// What else that one has stays late, of which one matters: an attempt to connect to a member that takes connections and
/// says nothing is not given up before the member closes it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::failover {

/// Owned by whoever has the channels. A thread of its own, which sees to this five times a second and does nothing else;
/// the destructor waits for it. Never fails.
class GrpcTimers {
 public:
  explicit GrpcTimers(std::vector<std::shared_ptr<grpc::Channel>> channels);
  ~GrpcTimers();
  GrpcTimers(const GrpcTimers&) = delete;
  GrpcTimers& operator=(const GrpcTimers&) = delete;

 private:
  void run();

  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool stopping_ = false;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace holdfast::failover
