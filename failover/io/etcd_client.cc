#include "failover/io/etcd_client.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "failover/io/etcd_channel.h"
#include "failover/io/etcd_errors.h"

namespace holdfast::failover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kStateCheck{10};  ///< for one member's connection, before the next is looked at
constexpr milliseconds kPause{20};       ///< before the same is asked again
constexpr milliseconds kWhyTimeout{20};  ///< for gRPC to say why there is no connection

}  // namespace

gpr_timespec to_grpc(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now()).count();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(left, GPR_TIMESPAN));
}

Result<std::unique_ptr<EtcdClient>> EtcdClient::make(const EtcdAddress& address, const EtcdOptions& options) {
  auto credentials = etcd_credentials(address.tls, options);
  if (!credentials) return credentials.error();
  std::unique_ptr<EtcdClient> client(new EtcdClient(address, options));
  client->needs_login_ = !address.user.empty();
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (const std::string& endpoint : address.endpoints) {
    auto channel = etcd_channel(endpoint, *credentials);
    channels.push_back(channel);
    client->members_.push_back({endpoint, channel, etcdserverpb::KV::NewStub(channel),
                                etcdserverpb::Lease::NewStub(channel), etcdserverpb::Watch::NewStub(channel),
                                etcdserverpb::Auth::NewStub(channel)});
  }
  client->timers_.emplace(std::move(channels));
  return client;
}

// ---------------------------------------------------------------------------------------------- which member

/// Waits for a connection instead of letting a call fail fast: a call alone would not make gRPC connect again after a
/// refused connection, and a call that waits for one by itself can't tell afterwards whether it was sent.
EtcdMember* EtcdClient::connected(Deadline deadline) {
  const std::size_t first = preferred_;
  while (true) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      EtcdMember& member = members_[(first + i) % members_.size()];
      if (member.channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) return &member;
    }
    for (EtcdMember& member : members_) {
      const auto now = Clock::now();
      if (now >= deadline) return nullptr;
      const auto state = member.channel->GetState(true);
      if (state == GRPC_CHANNEL_READY) break;
      member.channel->WaitForStateChange(state, to_grpc(std::min(deadline, now + kStateCheck)));
    }
  }
}

void EtcdClient::avoid(const EtcdMember& member) {
  auto index = static_cast<std::size_t>(&member - members_.data());
  preferred_.compare_exchange_strong(index, (index + 1) % members_.size());
}

/// What gRPC says about each member, which it says only to a call.
Error EtcdClient::unreachable() {
  std::string text = "etcd can't be reached. Is it running, and is its address right? ";
  text += address_.tls ? "Does it want a client certificate, and does it trust ours?"
                       : "If it wants TLS, its address begins with etcds://.";
  for (EtcdMember& member : members_) {
    grpc::ClientContext context;
    context.set_deadline(to_grpc(Clock::now() + kWhyTimeout));
    etcdserverpb::RangeRequest request;
    request.set_key("0");
    etcdserverpb::RangeResponse response;
    const grpc::Status status = member.kv->Range(&context, request, &response);
    const bool silent = status.ok() || status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    text += " " + member.endpoint + ": " + (silent ? "no connection" : status.error_message()) + ".";
  }
  return Error{Errc::retry_later, text};
}

// ------------------------------------------------------------------------------------------------------ login

void EtcdClient::forget_token() {
  const std::lock_guard lock(mutex_);
  token_.clear();
}

Status EtcdClient::log_in(EtcdMember& member, Deadline deadline) {
  grpc::ClientContext context;
  context.set_deadline(to_grpc(deadline));
  etcdserverpb::AuthenticateRequest request;
  request.set_name(address_.user);
  request.set_password(address_.password);
  etcdserverpb::AuthenticateResponse response;
  const grpc::Status status = member.auth->Authenticate(&context, request, &response);
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    token_ = response.token();
    return Ok{};
  }
  if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {  // etcd has no users: it takes anybody
    needs_login_ = false;
    return Ok{};
  }
  EtcdFailure failure = explain(status, member.endpoint);
  // Whatever became of the login, the call that needed it was not sent.
  if (failure.kind != EtcdFailure::Kind::refused) failure.error.code = Errc::retry_later;
  return failure.error;
}

Status EtcdClient::prepare(EtcdMember& member, grpc::ClientContext& context, Deadline deadline) {
  const auto without_token = [this] {
    const std::lock_guard lock(mutex_);
    return needs_login_ && token_.empty();
  };
  if (without_token()) {
    if (Status in = log_in(member, deadline); !in) return in;
  }
  const std::lock_guard lock(mutex_);
  if (!token_.empty()) context.AddMetadata("token", token_);
  context.AddMetadata("hasleader", "true");
  return Ok{};
}

void EtcdClient::note_end(EtcdMember& member, const grpc::Status& status) {
  if (status.ok()) return;
  if (explain(status, member.endpoint).kind == EtcdFailure::Kind::stale_token) forget_token();
}

// ------------------------------------------------------------------------------------------------------ calls

struct EtcdClient::Attempt {
  std::optional<EtcdFailure> failure;  ///< nothing: it succeeded
};

EtcdClient::Attempt EtcdClient::attempt(const Call& call, EtcdMember& member, Deadline deadline) {
  grpc::ClientContext context;
  context.set_deadline(to_grpc(deadline));
  if (Status prepared = prepare(member, context, deadline); !prepared) {
    const bool again = prepared.error().code == Errc::retry_later;
    if (again) avoid(member);
    return {EtcdFailure{again ? EtcdFailure::Kind::not_done : EtcdFailure::Kind::refused, prepared.error()}};
  }
  const grpc::Status status = call(member, context);
  if (status.ok()) return {};
  EtcdFailure failure = explain(status, member.endpoint);
  if (failure.kind == EtcdFailure::Kind::stale_token) {
    forget_token();
  } else if (failure.kind != EtcdFailure::Kind::refused) {
    avoid(member);
  }
  return {std::move(failure)};
}

Status EtcdClient::ask(const Call& call) { return ask(call, Clock::now() + options_.read_timeout); }

Status EtcdClient::ask(const Call& call, Deadline deadline) {
  std::optional<Error> last;
  while (true) {
    EtcdMember* member = connected(deadline);
    if (member == nullptr) return last ? *last : unreachable();
    const auto attempt_end =
        members_.size() == 1 ? deadline : std::min(deadline, Clock::now() + options_.attempt_timeout);
    Attempt done = attempt(call, *member, attempt_end);
    if (!done.failure) return Ok{};
    if (done.failure->kind == EtcdFailure::Kind::refused) return done.failure->error;
    last = Error{Errc::retry_later, done.failure->error.message};
    if (Clock::now() + kPause >= deadline) return *last;
    std::this_thread::sleep_for(kPause);
  }
}

Status EtcdClient::ask_once(const Call& call) {
  const auto send_until = Clock::now() + options_.transaction_timeout;
  std::optional<Error> last;
  while (true) {
    EtcdMember* member = connected(send_until);
    if (member == nullptr) return last ? *last : unreachable();
    Attempt done = attempt(call, *member, Clock::now() + options_.transaction_timeout);
    if (!done.failure) return Ok{};
    if (done.failure->kind == EtcdFailure::Kind::refused || done.failure->kind == EtcdFailure::Kind::unknown)
      return done.failure->error;
    last = Error{Errc::retry_later, done.failure->error.message};
    if (Clock::now() + kPause >= send_until) return *last;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace holdfast::failover
