/// Calls to a cluster of etcd members: which one to ask, how long, and what to do when it does not answer.
///
/// One connection to each member, kept by gRPC. The member that answered last is asked first; one that failed is asked
/// last, until others fail. Calls block, within their deadline and a few milliseconds; any thread. Must outlive all calls.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "failover/io/etcd_address.h"
#include "failover/io/etcd_options.h"
#include "failover/io/grpc_timers.h"
#include "proto/etcd.grpc.pb.h"

namespace holdfast::failover {

/// Of the monotonic clock: a jump of the wall clock must not end calls.
using Deadline = std::chrono::steady_clock::time_point;
gpr_timespec to_grpc(Deadline deadline);

struct EtcdMember {
  std::string endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Lease::Stub> lease;
  std::unique_ptr<etcdserverpb::Watch::Stub> watch;
  std::unique_ptr<etcdserverpb::Auth::Stub> auth;
};

class EtcdClient {
 public:
  /// Does not connect yet. Fails with not_found or invalid_argument if the files for TLS can't be read, and names them.
  static Result<std::unique_ptr<EtcdClient>> make(const EtcdAddress& address, const EtcdOptions& options);

  using Call = std::function<grpc::Status(EtcdMember& member, grpc::ClientContext& context)>;
  /// For what may be done twice: asks one member after another until one answers. Errc::retry_later: none did.
  Status ask(const Call& call);
  Status ask(const Call& call, Deadline deadline);
  /// For what must not be done twice: sent once. Sent again only if it is certain that nothing was done.
  /// Errc::retry_later: nothing was done; Errc::outcome_unknown: no answer, or the connection broke.
  Status ask_once(const Call& call);

  // For streams.
  /// A member with a connection, the preferred one first; null if there was none until the deadline.
  EtcdMember* connected(Deadline deadline);
  /// It did not answer: others go first from now on.
  void avoid(const EtcdMember& member);
  /// Login and the wish for a member that has a leader. False: the login failed.
  Status prepare(EtcdMember& member, grpc::ClientContext& context, Deadline deadline);
  /// Whether the status of a stream's end says that the login must be renewed, which is then done by prepare().
  void note_end(EtcdMember& member, const grpc::Status& status);

 private:
  EtcdClient(const EtcdAddress& address, const EtcdOptions& options) : address_(address), options_(options) {}
  struct Attempt;
  Attempt attempt(const Call& call, EtcdMember& member, Deadline deadline);
  Status log_in(EtcdMember& member, Deadline deadline);
  void forget_token();
  Error unreachable();

  const EtcdAddress address_;
  const EtcdOptions options_;
  std::vector<EtcdMember> members_;  ///< constant after make()
  std::atomic<std::size_t> preferred_{0};

  std::mutex mutex_;
  std::string token_;         ///< of our login; empty: none yet
  bool needs_login_ = false;  ///< there is a user, and etcd did not say that it has no users

  std::optional<GrpcTimers> timers_;  ///< constant after make()
};

}  // namespace holdfast::failover
