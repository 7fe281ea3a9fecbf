#include "failover/io/etcd_watch.h"

#include <spdlog/spdlog.h>

#include "failover/io/etcd_stream.h"

namespace holdfast::failover {
namespace {

using Clock = std::chrono::steady_clock;
using Stream = EtcdStream<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>;

// A member that is frozen keeps its connections, so it is asked for a sign of life: twice in vain, and another is tried.
constexpr std::chrono::milliseconds kAskAfter{500};
constexpr std::chrono::milliseconds kSilenceMax{1'000};

etcdserverpb::WatchRequest creation(const std::string& first, const std::string& last) {
  etcdserverpb::WatchRequest request;
  request.mutable_create_request()->set_key(first);
  request.mutable_create_request()->set_range_end(last);
  return request;
}

etcdserverpb::WatchRequest question() {
  etcdserverpb::WatchRequest request;
  request.mutable_progress_request();
  return request;
}

}  // namespace

EtcdWatch::EtcdWatch(EtcdClient& client, std::string first, std::string last, std::function<void()> changed)
    : client_(client), first_(std::move(first)), last_(std::move(last)), changed_(std::move(changed)), thread_(client) {
  thread_.start([this](EtcdMember& member) { follow(member); });
}

void EtcdWatch::follow(EtcdMember& member) {
  Stream stream;
  const EtcdThread::Cancelling cancelling(thread_, [&stream] { stream.cancel(); });
  auto heard = Clock::now();
  if (!client_.prepare(member, stream.context(), heard + kSilenceMax)) return;
  auto wire = member.watch->PrepareAsyncWatch(&stream.context(), &stream.queue());
  if (!stream.start(std::move(wire), heard + kSilenceMax) || !stream.send(creation(first_, last_))) return;
  etcdserverpb::WatchResponse response;
  while (true) {
    const auto next = stream.next(response, Clock::now() + kAskAfter);
    if (next == Stream::Next::ended) break;
    if (next == Stream::Next::nothing) {
      if (Clock::now() - heard >= kSilenceMax) break;
      stream.send(question());
      continue;
    }
    heard = Clock::now();
    if (response.canceled()) {
      spdlog::warn("etcd ended a watch reason={}", response.cancel_reason());
      break;
    }
    if (response.created() || response.events_size() > 0) changed_();
  }
  client_.note_end(member, stream.close());
}

}  // namespace holdfast::failover
