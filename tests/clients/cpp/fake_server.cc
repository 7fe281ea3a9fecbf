#include "fake_server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

namespace holdfast::client::play {

FakeServer::FakeServer(any_io_executor executor, std::optional<TlsContext> tls, FakeServer* twin)
    : tasks_(executor), tls_(std::move(tls)), twin_(twin) {
  book().nodes_.push_back(this);
  auto opened = Listener::open(executor, {"127.0.0.1", 0});
  REQUIRE(opened);
  listener_ = std::move(*opened);
  port_ = listener_->port();
  tasks_.spawn("accept", listener_->accept_loop([this](tcp::socket socket, const tcp::endpoint&) {
    auto peer = std::make_shared<Peer>();
    peer->stream = std::make_unique<Stream>(std::move(socket));
    peers_.insert(peer);
    tasks_.spawn("peer", serve(this, peer));
  }));
}

FakeServer::~FakeServer() { std::erase(book().nodes_, this); }

void FakeServer::Peer::close() {
  live = false;
  if (websocket) websocket->abort();
  if (stream) stream->close();
}

void FakeServer::cut() {
  for (const auto& peer : peers_) peer->close();
  peers_.clear();
}

void FakeServer::stop() {
  cut();
  listener_->close();
  if (tasks_.size() > 0) boost::asio::post(tasks_.executor(), [this] { tasks_.cancel(); });
}

Awaitable<void> FakeServer::serve(FakeServer* server, std::shared_ptr<Peer> peer) {
  if (server->tls_) {
    if (!peer->stream->start_tls_server(*server->tls_)) co_return;
    const error_code error = co_await peer->stream->handshake();
    if (error) co_return;
  }
  auto kind = co_await peer->stream->detect_protocol();
  if (!kind) co_return;
  if (*kind == FirstBytes::websocket)
    co_await serve_websocket(server, peer);
  else
    co_await serve_native(server, peer);
  peer->live = false;
  server->peers_.erase(peer);
}

Awaitable<void> FakeServer::serve_native(FakeServer* server, std::shared_ptr<Peer> peer) {
  FrameDecoder decoder;
  std::string buffer(4096, '\0');
  while (true) {
    const auto got = co_await peer->stream->read_some(std::span<char>(buffer));
    if (got.error) co_return;
    std::string_view rest(buffer.data(), got.bytes);
    while (true) {
      auto payload = decoder.next(rest);
      if (!payload || !*payload) break;
      if (!server->answer(*peer, **payload)) co_return peer->close();
    }
    const std::string out = std::exchange(peer->out, {});
    const error_code error = co_await peer->stream->write_all(out);
    if (error) co_return;
  }
}

Awaitable<void> FakeServer::serve_websocket(FakeServer* server, std::shared_ptr<Peer> peer) {
  WebSocketOptions options;
  auto accepted = co_await WebSocketConnection::accept(std::move(peer->stream), options);
  if (!accepted) co_return;
  peer->websocket = std::move(*accepted);
  while (true) {
    auto message = co_await peer->websocket->read();
    if (!message) co_return;
    if (!server->answer(*peer, *message)) co_return peer->close();
    const std::string out = std::exchange(peer->out, {});
    std::string_view rest = out;
    FrameDecoder cutter;
    while (true) {
      auto payload = cutter.next(rest);
      if (!payload || !*payload) break;
      auto written = co_await peer->websocket->write(std::string(**payload));
      if (!written) co_return;
    }
  }
}

bool FakeServer::answer(Peer& peer, std::string_view payload) {
  v1::ClientFrame asked;
  REQUIRE(asked.ParseFromArray(payload.data(), static_cast<int>(payload.size())));
  v1::ServerFrame reply;
  reply.set_request_id(asked.request_id());
  if (asked.has_hello()) {
    reply.mutable_hello()->set_protocol(1);
    reply.mutable_hello()->set_server_time_ms(1'700'000'000'000);
    append_frame(peer.out, reply);
  } else if (asked.has_log_in() || asked.has_resume()) {
    auto& session = *reply.mutable_session();
    session.set_user_id(std::string(16, 'u'));
    session.set_session_id(std::string(16, 's'));
    session.set_username("ada");
    session.set_inbox_head(book().ids_.size());
    session.set_cursor(asked.has_resume() ? asked.resume().cursor() : book().ids_.size());
    if (asked.has_log_in()) session.set_token("token");
    ++(asked.has_log_in() ? logins : resumes);
    append_frame(peer.out, reply);
    peer.live = true;
    push_after(peer, session.cursor());
  } else if (asked.has_post()) {
    return answer_post(peer, asked.request_id(), asked.post());
  } else if (asked.request_id() != 0) {
    reply.mutable_done();
    append_frame(peer.out, reply);
  }
  return true;
}

bool FakeServer::answer_post(Peer& peer, std::uint64_t request_id, const v1::Post& post) {
  auto& ids = book().ids_;
  auto known = std::find(ids.begin(), ids.end(), post.client_message_id());
  const bool fresh = known == ids.end();
  const auto number = static_cast<std::uint64_t>(known - ids.begin()) + 1;
  if (fresh) {
    ids.push_back(post.client_message_id());
    book().bodies.push_back(post.body());
    push_to_others(peer, number - 1);
  }
  if (swallow_ > 0) {
    --swallow_;
    return false;
  }
  v1::ServerFrame reply;
  reply.set_request_id(request_id);
  reply.mutable_change()->set_number(number);
  append_frame(peer.out, reply);
  if (fresh) push_after(peer, number - 1);
  return true;
}

void FakeServer::push_to_others(const Peer& author, std::uint64_t cursor) {
  for (auto* node : book().nodes_) {
    for (const auto& peer : node->peers_) {
      if (peer.get() == &author || !peer->live || !peer->stream || book().nodes_.size() == 1) continue;
      push_after(*peer, cursor);
      peer->stream->write_now(std::exchange(peer->out, {}));
    }
  }
}

void FakeServer::tell_to_move(std::uint16_t port) {
  v1::ServerFrame frame;
  frame.mutable_move()->add_targets()->set_address("127.0.0.1:" + std::to_string(port));
  std::string bytes;
  append_frame(bytes, frame);
  for (const auto& peer : peers_)
    if (peer->live && peer->stream) peer->stream->write_now(bytes);
}

std::size_t FakeServer::live() const {
  return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& p) { return p->live; }));
}

void FakeServer::push_after(Peer& peer, std::uint64_t cursor) {
  const auto& all = book().bodies;
  v1::ServerFrame push;
  for (std::size_t n = cursor; n < all.size(); ++n) {
    auto& item = *push.mutable_inbox()->add_items();
    item.set_position(n + 1);
    item.set_conversation_id(std::string(16, 'c'));
    item.mutable_change()->set_number(n + 1);
    item.mutable_change()->mutable_posted()->set_body(all[n]);
  }
  if (push.inbox().items_size() > 0) append_frame(peer.out, push);
}

}  // namespace holdfast::client::play
