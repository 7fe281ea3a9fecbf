/// What the parts of PeerLinks share. For failover/io's peer_* files.
///
/// Owned by PeerLinks::Impl; on the executor's thread, but for what says otherwise.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "failover/io/peer_links.h"
#include "failover/io/peer_outbox.h"
#include "net/stream.h"
#include "net/task_group.h"

namespace holdfast::failover {

class PeerDial;

/// One other node: what is counted, what waits to be sent, and its two connections as far as they stand. Never goes.
struct Peer {
  Peer(NodeId id, const PeerLinksOptions& options)
      : node(id), outbox(options.queue_bytes_max, options.frame_bytes_max) {}

  const NodeId node;
  PeerOutbox outbox;  ///< any thread; open while our connection is up
  std::atomic<bool> up{false};
  std::atomic<std::uint64_t> bytes_out{0}, frames_out{0}, bytes_in{0}, frames_in{0};
  std::atomic<std::uint64_t> dropped{0}, refused{0}, losses{0}, overflows{0};

  std::shared_ptr<PeerDial> dial;  ///< our side; null if it is not to be dialled
  Stream* accepted = nullptr;      ///< the latest that it dialled and we greeted; owned by its coroutine
  std::string accepted_boot;
};

/// At most one line in ten seconds for each key.
class SeldomLog {
 public:
  void warn(const std::string& key, const std::string& line);

 private:
  std::map<std::string, SteadyTime> last_;
};

struct PeerShared {
  PeerShared(any_io_executor on, PeerLinksOptions with, PeerHandlers to);

  /// Makes it if it is new.
  std::shared_ptr<Peer> peer_of(NodeId node);
  /// Null if nobody heard of it. Any thread.
  std::shared_ptr<Peer> find(NodeId node) const;
  /// Our Hello, as of now, framed.
  std::string hello() const;
  /// Counts, logs and tells the handler. `with` is for the log: the other end's address.
  void refused(NodeId node, const std::string& with, const std::string& reason);
  void unreachable(NodeId node, const std::string& with, const std::string& reason);
  void garbage(NodeId node, const std::string& with, const std::string& what);

  const any_io_executor executor;
  const PeerLinksOptions options;
  const PeerHandlers handlers;
  TaskGroup tasks;
  bool closing = false;
  std::string dial_back;  ///< of our Hello: we are a newcomer that shows itself
  /// For one read at a time; nobody holds on to it over a wait.
  std::array<char, 256 * 1024> read_buffer;

  std::atomic<std::uint64_t> refused_count{0}, garbage_count{0};
  mutable std::shared_mutex peers_mutex;  ///< changed on the executor's thread only
  std::map<NodeId, std::shared_ptr<Peer>> peers;

 private:
  SeldomLog log_;
};

/// TCP_USER_TIMEOUT 2 s, keepalive 1 s / 1 s / 2, and little in the kernel that is not on its way yet: what is urgent
/// could not overtake it there.
void set_peer_socket_options(tcp::socket& socket);

/// Whether the other end has closed, or the connection broke, and nothing unread stands before that.
bool has_ended(Stream& stream);

std::string framed_refusal(const std::string& reason);

/// Reads the first frame. `rest` gets what came behind it. Errc::io with what the system said at an end or error;
/// permission_denied for what TLS says, invalid_argument or too_large for garbage.
struct FirstFrame {
  std::unique_ptr<peer::Frame> frame;
  std::string rest;
};
Awaitable<Result<FirstFrame>> read_first_frame(Stream& stream);

}  // namespace holdfast::failover
