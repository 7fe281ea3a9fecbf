/// The connections between this node and the others of its cluster (proto/peer.proto).
///
/// Each node dials each other: what we send goes out on the connections that we dialled, what we receive comes in on those
/// that we accepted. A link is up when ours was greeted. It is dialled for as long as the peer is in set_peers(): at once
/// after a loss, then after 20 ms, doubling to 1 s, with jitter; at once, too, when the peer dials us. So a loss is
/// followed within milliseconds by what tells whether the process is gone (refused) or came back (on_up with another
/// boot id).
///
/// Trust: with TLS contexts, whoever shows a certificate of the cluster's authority; then its Hello must fit (peer_hello.h).
/// Both ends log why not, at most once in ten seconds for each cause.
///
/// Thread: all on the executor's, which one thread runs, but for send() and figures(): any. Handlers are called on the
/// executor's thread, never from within a call into PeerLinks; they may call anything here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "failover/in_sync_set.h"
#include "failover/io/peer_frames.h"
#include "failover/link_down.h"
#include "net/asio.h"
#include "net/listener.h"
#include "net/tls.h"
#include "proto/peer.pb.h"

namespace holdfast::failover {

struct PeerLinksOptions {
  peer::Hello own;  ///< cluster, node, store_id, boot_id, version, partitions; protocol and time are filled in
  HostPort listen{"127.0.0.1", 0};
  std::optional<TlsContext> tls_server;  ///< TlsContext::mutual_server, or plaintext: for tests and loopback
  std::optional<TlsContext> tls_client;  ///< TlsContext::mutual_client; both, or none (CHECKed)
  std::function<WallTime()> clock = wall_now;

  std::chrono::milliseconds connect_max{1'000};
  std::chrono::milliseconds handshake_max{2'000};  ///< TLS and both Hellos
  std::chrono::milliseconds backoff_min{20};
  std::chrono::milliseconds backoff_max{1'000};
  std::chrono::milliseconds close_max{1'000};  ///< for what is queued when close() is called
  std::uint32_t frame_bytes_max = kPeerFrameBytesMax;
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  ///< to one peer; beyond it the link is closed
};

struct PeerHandlers {
  /// Our connection to this node was greeted: send() works from now on.
  std::function<void(const peer::Hello& theirs)> on_up;
  /// closed: the link was up, and is not; once a loss. timed_out: the same, since nobody answered any more; or a try to
  /// connect that nobody answered in time. refused: nobody listens there; with each try, also before the first on_up.
  /// Not called for a node that set_peers() removed or moved, nor after close().
  std::function<void(NodeId, LinkDown)> on_down;
  /// In the order in which the peer sent them on one connection. Never Hello or Refused. Theirs to keep. `from` is who
  /// greeted us on that connection: what a node sent before its disk was replaced is its old disk's, however late it
  /// comes, and whomever on_up told of meanwhile (I12).
  std::function<void(const Member& from, std::unique_ptr<peer::Frame>)> on_frame;
  /// May be empty. A connection came to nothing, and why: a Hello that does not fit, a certificate that is not believed.
  /// `node` is 0 where it is not known, and what the other end claims where we refuse it.
  std::function<void(NodeId node, const std::string& reason)> on_refused;
};

struct PeerFigures {
  NodeId node;
  bool up = false;  ///< our connection to it
  std::uint64_t bytes_out = 0, frames_out = 0, bytes_in = 0, frames_in = 0;
  std::uint64_t dropped = 0;  ///< frames: no link, or lost with one
  std::uint64_t refused = 0;  ///< connections that came to nothing for a reason (on_refused)
  std::uint64_t losses = 0;   ///< of a link that was up
  std::uint64_t overflows = 0;
  std::size_t queued_bytes = 0;
};

struct PeerLinksFigures {
  std::vector<PeerFigures> peers;  ///< by node
  std::uint64_t refused = 0;       ///< connections, of all and of those that named no node
  std::uint64_t garbage = 0;       ///< connections that were closed for what they sent
};

/// Owned by the node; close() and join() before it goes, and nobody sends any more.
class PeerLinks {
 public:
  PeerLinks(any_io_executor executor, PeerLinksOptions options, PeerHandlers handlers);
  ~PeerLinks();
  PeerLinks(const PeerLinks&) = delete;
  PeerLinks& operator=(const PeerLinks&) = delete;

  /// Accepts from now on. Returns the port; fails as Listener::open does. Once.
  Result<std::uint16_t> listen();

  /// Of a newcomer, before it joins: whoever answers our Hello dials this HOST:PORT first, and refuses us if we don't
  /// greet it there. Between listen() and set_peers(); those who dial us are greeted and hung up on from then on.
  void ask_to_be_dialled(const std::string& address);

  /// Whom to dial, all of them; our own node is left out. Who has another address is dialled anew, who is no longer there
  /// is hung up on, both ways. (It may dial us again: that is decided by its certificate and its Hello.)
  void set_peers(const std::map<NodeId, HostPort>& peers);

  /// Any thread, never blocks. All that is sent in one turn of the executor leaves in one write, in that turn. Urgent
  /// frames overtake the others. False if it was not taken: there is no link, or its queue is full, in which case the
  /// link is closed. True promises nothing: a frame may be lost with its link.
  bool send(NodeId to, const peer::Frame& frame);  ///< urgent if is_urgent() says so
  bool send(NodeId to, std::string_view serialized_frame, bool urgent = false);

  /// Accepts and dials no more, hangs up on who dialled us, writes what is queued (close_max), hangs up. Idempotent.
  void close();
  /// Returns when everything has ended. close() comes before.
  Awaitable<void> join();

  PeerLinksFigures figures() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::failover
