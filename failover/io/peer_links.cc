#include "failover/io/peer_links.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "failover/io/peer_accept.h"
#include "failover/io/peer_dial.h"
#include "failover/io/peer_shared.h"

namespace holdfast::failover {

namespace asio = boost::asio;

struct PeerLinks::Impl {
  Impl(any_io_executor executor, PeerLinksOptions options, PeerHandlers handlers)
      : shared(std::move(executor), std::move(options), std::move(handlers)),
        accept(shared),
        close_timer(shared.executor) {}

  ~Impl() {
    for (auto& [node, peer] : shared.peers) peer->dial.reset();  // each holds the other
  }

  void hang_up(Peer& peer) {
    if (peer.dial) peer.dial->stop();
    peer.dial.reset();
    if (peer.accepted) peer.accepted->close();
  }

  void dial(NodeId node, const HostPort& where) {
    const auto peer = shared.peer_of(node);
    if (peer->dial && peer->dial->where().str() == where.str()) return;
    if (peer->dial) peer->dial->stop();
    peer->dial = std::make_shared<PeerDial>(shared, peer, where);
    shared.tasks.spawn("peer_dial", PeerDial::run(peer->dial));
  }

  template <class Frame>
  bool send(NodeId to, const Frame& frame, bool urgent) {
    auto peer = shared.find(to);
    if (!peer) return false;
    const auto put = peer->outbox.put(frame, urgent);
    if (!put.accepted) peer->dropped.fetch_add(1, std::memory_order_relaxed);
    if (put.tell) {
      asio::post(shared.executor, [peer] {
        if (peer->dial)
          peer->dial->turn();
        else
          peer->outbox.turn();
      });
    }
    return put.accepted;
  }

  PeerShared shared;
  PeerAccept accept;
  asio::steady_timer close_timer;
};

PeerLinks::PeerLinks(any_io_executor executor, PeerLinksOptions options, PeerHandlers handlers)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options), std::move(handlers))) {}

PeerLinks::~PeerLinks() = default;

Result<std::uint16_t> PeerLinks::listen() { return impl_->accept.listen(); }

void PeerLinks::ask_to_be_dialled(const std::string& address) { impl_->shared.dial_back = address; }

void PeerLinks::set_peers(const std::map<NodeId, HostPort>& peers) {
  if (impl_->shared.closing) return;
  const NodeId own(impl_->shared.options.own.node());
  for (auto& [node, peer] : impl_->shared.peers) {
    if (!peers.contains(node)) impl_->hang_up(*peer);
  }
  for (const auto& [node, where] : peers) {
    if (node != own) impl_->dial(node, where);
  }
}

bool PeerLinks::send(NodeId to, const peer::Frame& frame) { return impl_->send(to, frame, is_urgent(frame)); }

bool PeerLinks::send(NodeId to, std::string_view serialized_frame, bool urgent) {
  return impl_->send(to, serialized_frame, urgent);
}

void PeerLinks::close() {
  auto& shared = impl_->shared;
  if (shared.closing) return;
  shared.closing = true;
  impl_->accept.close();
  for (auto& [node, peer] : shared.peers) {
    if (peer->dial) peer->dial->drain();
  }
  impl_->close_timer.expires_after(shared.options.close_max);
  impl_->close_timer.async_wait([weak = std::weak_ptr(impl_)](error_code error) {
    const auto impl = weak.lock();
    if (error || !impl) return;
    for (auto& [node, peer] : impl->shared.peers) {
      if (peer->dial) peer->dial->stop();
    }
  });
}

Awaitable<void> PeerLinks::join() {
  co_await impl_->shared.tasks.join();
  impl_->close_timer.cancel();
}

PeerLinksFigures PeerLinks::figures() const {
  const auto& shared = impl_->shared;
  PeerLinksFigures figures;
  figures.refused = shared.refused_count;
  figures.garbage = shared.garbage_count;
  const std::shared_lock lock(shared.peers_mutex);
  for (const auto& [node, peer] : shared.peers) {
    figures.peers.push_back({node, peer->up, peer->bytes_out, peer->frames_out, peer->bytes_in, peer->frames_in,
                             peer->dropped, peer->refused, peer->losses, peer->overflows, peer->outbox.queued_bytes()});
  }
  return figures;
}

}  // namespace holdfast::failover
