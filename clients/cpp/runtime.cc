#include "clients/cpp/runtime.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "clients/cpp/client_core.h"
#include "clients/cpp/runtime_impl.h"

namespace holdfast::client {

namespace {
/// Deadlines this close to each other are served together.
constexpr std::chrono::milliseconds kGrain{5};
}  // namespace

ClientRuntime::ClientRuntime(boost::asio::any_io_executor executor) : impl_(std::make_unique<Impl>(executor)) {}
ClientRuntime::~ClientRuntime() = default;
boost::asio::any_io_executor ClientRuntime::executor() const { return impl_->tasks.executor(); }
const ClientRuntime::Traffic& ClientRuntime::traffic() const { return impl_->traffic; }
void ClientRuntime::cancel() { impl_->cancel_soon(); }

ClientRuntime::Impl::Impl(boost::asio::any_io_executor executor)
    : tasks(executor), executor_(executor), timer_(executor), self_(std::make_shared<Impl*>(this)) {}

ClientRuntime::Impl::~Impl() { *self_ = nullptr; }

void ClientRuntime::Impl::cancel_soon() {
  // Always from within the loop: from outside, a cancellation and the task's own end would wait in the queue together,
  // and Asio's co_spawn does not survive the second after the first.
  boost::asio::post(executor_, [self = self_] {
    if (*self != nullptr) (*self)->tasks.cancel();
  });
}

void ClientRuntime::Impl::schedule(Client::Core* core, SteadyTime& scheduled, SteadyTime at) {
  // A deadline that moves back is left alone: the early tick finds nothing to do and asks again. Most deadlines move
  // back all the time, and this spares the set.
  if (at >= scheduled && at != SteadyTime::max()) return;
  if (scheduled != SteadyTime::max()) deadlines_.erase({scheduled, core});
  scheduled = at;
  if (at != SteadyTime::max()) deadlines_.insert({at, core});
  arm();
}

void ClientRuntime::Impl::arm() {
  if (deadlines_.empty()) {
    armed_ = SteadyTime::max();
    timer_.cancel();
    return;
  }
  const SteadyTime first = deadlines_.begin()->first;
  if (first >= armed_) return;
  armed_ = first;
  timer_.expires_at(first);
  timer_.async_wait([self = self_](const boost::system::error_code& error) {
    if (!error && *self != nullptr) (*self)->on_timer();
  });
}

void ClientRuntime::Impl::on_timer() {
  armed_ = SteadyTime::max();
  const SteadyTime until = steady_now() + kGrain;
  while (!deadlines_.empty() && deadlines_.begin()->first <= until) {
    const auto [at, core] = *deadlines_.begin();
    deadlines_.erase(deadlines_.begin());
    core->on_deadline(at);
  }
  arm();
}

void ClientRuntime::Impl::flush_soon(Client::Core* core) {
  dirty_.push_back(core);
  if (std::exchange(turn_posted_, true)) return;
  boost::asio::post(executor_, [self = self_] {
    if (*self != nullptr) (*self)->on_turn_end();
  });
}

void ClientRuntime::Impl::on_turn_end() {
  turn_posted_ = false;
  // Callbacks of one client may make others dirty, or destroy them: an index survives that, and forget() leaves nulls.
  for (std::size_t i = 0; i < dirty_.size(); ++i)
    if (dirty_[i] != nullptr) dirty_[i]->on_turn_end();
  dirty_.clear();
  turn_posted_ = false;
}

void ClientRuntime::Impl::forget(Client::Core* core, SteadyTime& scheduled) {
  if (scheduled != SteadyTime::max()) deadlines_.erase({scheduled, core});
  scheduled = SteadyTime::max();
  std::replace(dirty_.begin(), dirty_.end(), core, static_cast<Client::Core*>(nullptr));
  arm();
}

Result<TlsContext> ClientRuntime::Impl::tls(const Trust& trust) {
  if (const auto known = contexts_.find(trust); known != contexts_.end()) return known->second;
  TlsTrust plain{trust.ca_file, trust.pinned_fingerprint, trust.insecure};
  if (!trust.pinned_certificate.empty()) {
    auto fingerprint = certificate_fingerprint(trust.pinned_certificate);
    if (!fingerprint) return fingerprint.error();
    plain.pinned_fingerprint = *fingerprint;
  }
  auto context = TlsContext::client(plain);
  if (context) contexts_.emplace(trust, *context);
  return context;
}

}  // namespace holdfast::client
