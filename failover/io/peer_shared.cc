#include "failover/io/peer_shared.h"

#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "base/check.h"
#include "failover/io/peer_hello.h"
#include "proto/frame.h"

namespace holdfast::failover {

namespace {

constexpr std::chrono::seconds kLogEvery{10};
constexpr std::size_t kLogKeysMax = 256;

void set_option(tcp::socket& socket, int level, int option, int value) {
  // A socket that refuses one is dying: the first read tells.
  static_cast<void>(::setsockopt(socket.native_handle(), level, option, &value, sizeof value));
}

PeerLinksOptions complete(PeerLinksOptions options) {
  options.own.set_protocol(kPeerProtocol);
  HF_CHECK(options.own.node() != 0, "a node has an id before it has links");
  HF_CHECK(StoreId::from_bytes(options.own.store_id()) && StoreId::from_bytes(options.own.boot_id()), "16 bytes each");
  HF_CHECK(options.tls_server.has_value() == options.tls_client.has_value(), "TLS at both ends or at none");
  return options;
}

}  // namespace

void SeldomLog::warn(const std::string& key, const std::string& line) {
  const auto now = steady_now();
  if (last_.size() >= kLogKeysMax)
    std::erase_if(last_, [now](const auto& one) { return now - one.second >= kLogEvery; });
  if (last_.size() >= kLogKeysMax) return;
  const auto [at, first] = last_.try_emplace(key, now);
  if (!first && now - at->second < kLogEvery) return;
  at->second = now;
  spdlog::warn("{}", line);
}

PeerShared::PeerShared(any_io_executor on, PeerLinksOptions with, PeerHandlers to)
    : executor(std::move(on)), options(complete(std::move(with))), handlers(std::move(to)), tasks(executor) {}

std::shared_ptr<Peer> PeerShared::find(NodeId node) const {
  const std::shared_lock lock(peers_mutex);
  const auto found = peers.find(node);
  return found == peers.end() ? nullptr : found->second;
}

std::shared_ptr<Peer> PeerShared::peer_of(NodeId node) {
  const std::unique_lock lock(peers_mutex);
  auto& peer = peers[node];
  if (!peer) peer = std::make_shared<Peer>(node, options);
  return peer;
}

std::string PeerShared::hello() const {
  peer::Frame frame;
  *frame.mutable_hello() = options.own;
  frame.mutable_hello()->set_time_ms(to_ms(options.clock()));
  frame.mutable_hello()->set_dial_back(dial_back);
  std::string bytes;
  append_frame(bytes, frame);
  return bytes;
}

void PeerShared::refused(NodeId node, const std::string& with, const std::string& reason) {
  refused_count.fetch_add(1, std::memory_order_relaxed);
  if (const auto peer = find(node)) peer->refused.fetch_add(1, std::memory_order_relaxed);
  const auto text = for_log(reason);
  // Without the values in it: a clock that goes wrong differs by the millisecond.
  log_.warn("refused" + std::to_string(node.value) + text.substr(0, text.find(':')),
            "peer_refused node=" + std::to_string(node.value) + " peer=" + with + " reason=\"" + text + "\"");
  if (handlers.on_refused) handlers.on_refused(node, reason);
}

void PeerShared::unreachable(NodeId node, const std::string& with, const std::string& reason) {
  log_.warn("unreachable" + std::to_string(node.value), "peer_unreachable node=" + std::to_string(node.value) +
                                                            " peer=" + with + " reason=\"" + for_log(reason) + "\"");
}

void PeerShared::garbage(NodeId node, const std::string& with, const std::string& what) {
  garbage_count.fetch_add(1, std::memory_order_relaxed);
  log_.warn("garbage" + std::to_string(node.value) + with.substr(0, with.rfind(':')),
            "peer_garbage node=" + std::to_string(node.value) + " peer=" + with + " reason=\"" + for_log(what) +
                "\" done=closed");
}

void set_peer_socket_options(tcp::socket& socket) {
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 2'000);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 2);
  set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 256 * 1024);
}

bool has_ended(Stream& stream) {
  if (!stream.is_open()) return true;
  char byte = 0;
  const auto peeked = ::recv(stream.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return peeked == 0 || (peeked < 0 && errno != EAGAIN && errno != EINTR);
}

std::string framed_refusal(const std::string& reason) {
  peer::Frame frame;
  frame.mutable_refused()->set_reason(reason);
  std::string bytes;
  append_frame(bytes, frame);
  return bytes;
}

Awaitable<Result<FirstFrame>> read_first_frame(Stream& stream) {
  PeerFrames frames(kPeerHelloBytesMax);
  std::array<char, 1024> buffer;
  for (;;) {
    const std::span<char> room(buffer);
    const auto read = co_await stream.read_some(room);
    if (read.error.category() == tls_category()) co_return Error{Errc::permission_denied, read.error.message()};
    if (read.error) co_return Error{Errc::io, read.error.message()};
    std::string_view input(buffer.data(), read.bytes);
    auto frame = frames.next(input);
    if (!frame) co_return frame.error();
    if (!*frame) continue;
    FirstFrame first{std::move(*frame), std::string(input)};
    co_return first;
  }
}

}  // namespace holdfast::failover
