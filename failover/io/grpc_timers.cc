#include "failover/io/grpc_timers.h"

#include <chrono>
#include <utility>

// gRPC's own, exported but in none of its public headers. Weak: a version without it is not woken.
__attribute__((weak)) void grpc_kick_poller();

namespace holdfast::failover {
namespace {

constexpr std::chrono::milliseconds kEvery{200};

}  // namespace

GrpcTimers::GrpcTimers(std::vector<std::shared_ptr<grpc::Channel>> channels)
    : channels_(std::move(channels)), thread_([this] { run(); }) {}

GrpcTimers::~GrpcTimers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  told_.notify_all();
  thread_.join();
}

void GrpcTimers::run() {
  std::unique_lock lock(mutex_);
  while (!told_.wait_for(lock, kEvery, [this] { return stopping_; })) {
    if (grpc_kick_poller != nullptr) grpc_kick_poller();
    for (const auto& channel : channels_)
      if (channel->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY)
        grpc::experimental::ChannelResetConnectionBackoff(channel.get());
  }
}

}  // namespace holdfast::failover
