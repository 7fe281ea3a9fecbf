#include "failover/io/etcd_lease.h"

#include <spdlog/spdlog.h>

#include "base/check.h"
#include "failover/io/etcd_stream.h"

namespace holdfast::failover {
namespace {

using Clock = std::chrono::steady_clock;
using Stream = EtcdStream<etcdserverpb::LeaseKeepAliveRequest, etcdserverpb::LeaseKeepAliveResponse>;

constexpr std::chrono::milliseconds kRevokeMax{500};  ///< a node that leaves does not wait long for etcd

}  // namespace

EtcdLease::EtcdLease(EtcdClient& client, const EtcdOptions& options)
    : client_(client), options_(options), thread_(client) {}

EtcdLease::~EtcdLease() {
  thread_.stop();
  if (id_ == 0 || !options_.revoke_on_close) return;
  const Status revoked = client_.ask(
      [this](EtcdMember& member, grpc::ClientContext& context) {
        etcdserverpb::LeaseRevokeRequest request;
        request.set_id(id_);
        etcdserverpb::LeaseRevokeResponse response;
        return member.lease->LeaseRevoke(&context, request, &response);
      },
      Clock::now() + kRevokeMax);
  if (!revoked && revoked.error().code != Errc::not_found)
    spdlog::warn("etcd lease not revoked, it ends by itself ttl_s={}", options_.lease_ttl.count());
}

Result<std::int64_t> EtcdLease::current() {
  const std::lock_guard lock(grant_mutex_);
  if (id_ != 0) return id_.load();
  etcdserverpb::LeaseGrantResponse response;
  // Asked twice, there may be a second lease: it has no rows and ends by itself.
  const Status granted = client_.ask([&](EtcdMember& member, grpc::ClientContext& context) {
    etcdserverpb::LeaseGrantRequest request;
    request.set_ttl(options_.lease_ttl.count());
    return member.lease->LeaseGrant(&context, request, &response);
  });
  if (!granted) return granted.error();
  HF_CHECK(response.id() != 0, "etcd grants no lease with the id that means none");
  id_ = response.id();
  if (!thread_.is_running()) thread_.start([this](EtcdMember& member) { keep_alive(member); });
  return response.id();
}

void EtcdLease::lost(std::int64_t id) {
  if (id_.compare_exchange_strong(id, 0)) spdlog::warn("etcd lease lost");
}

void EtcdLease::keep_alive(EtcdMember& member) {
  const std::chrono::milliseconds ttl = options_.lease_ttl;
  const auto interval = ttl / 4, silence_max = ttl / 2;
  Stream stream;
  const EtcdThread::Cancelling cancelling(thread_, [&stream] { stream.cancel(); });
  auto heard = Clock::now();
  if (!client_.prepare(member, stream.context(), heard + silence_max)) return;
  auto wire = member.lease->PrepareAsyncLeaseKeepAlive(&stream.context(), &stream.queue());
  if (!stream.start(std::move(wire), heard + silence_max)) return;
  auto due = heard;
  while (true) {
    if (Clock::now() >= due) {
      due = Clock::now() + interval;
      etcdserverpb::LeaseKeepAliveRequest request;
      request.set_id(id_);
      if (request.id() == 0) {
        heard = Clock::now();  // between a lost lease and the next: nothing to keep, nothing to hear
      } else {
        stream.send(request);
      }
    }
    etcdserverpb::LeaseKeepAliveResponse response;
    const auto next = stream.next(response, due);
    if (next == Stream::Next::ended) break;
    if (next == Stream::Next::nothing) {
      if (Clock::now() - heard >= silence_max) break;
      continue;
    }
    heard = Clock::now();
    if (response.ttl() <= 0) lost(response.id());
  }
  client_.note_end(member, stream.close());
}

}  // namespace holdfast::failover
