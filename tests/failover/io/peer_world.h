/// Several nodes' PeerLinks in one loop, over loopback; and peers that don't play by the rules.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "failover/io/peer_hello.h"
#include "failover/io/peer_links.h"
#include "net/task_group.h"
#include "proto/frame.h"

namespace holdfast::failover::testing {

using namespace std::chrono_literals;

/// One loop for all. What a test waits for must come within ten seconds.
class World {
 public:
  bool until(const std::function<bool()>& true_now, std::chrono::milliseconds bound = 10s) {
    const auto end = std::chrono::steady_clock::now() + bound;
    context_.restart();
    while (!true_now()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= end) return false;
      context_.run_one_for(end - now);
      if (context_.stopped()) context_.restart();
    }
    return true;
  }
  /// Everything that can happen now.
  void settle() {
    context_.restart();
    context_.poll();
  }
  any_io_executor executor() { return context_.get_executor(); }
  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_;
};

inline std::string sixteen(char with) { return std::string(16, with); }

inline peer::Hello hello_of(std::uint32_t node, char boot = 'a') {
  peer::Hello hello;
  hello.set_protocol(kPeerProtocol);
  hello.set_cluster("00000000-0000-0000-0000-00000000c1c1");
  hello.set_node(node);
  hello.set_store_id(sixteen(static_cast<char>(node)));
  hello.set_boot_id(sixteen(boot));
  hello.set_version("0.1.0");
  hello.set_time_ms(1'000'000'000);
  hello.set_partitions(64);
  return hello;
}

inline peer::Frame answer_frame(std::uint64_t id) {
  peer::Frame frame;
  frame.mutable_answer()->set_id(id);
  return frame;
}

inline peer::Frame bulk_frame(std::size_t bytes) {
  peer::Frame frame;
  frame.mutable_deliver()->add_all()->set_frame(std::string(bytes, 'x'));
  return frame;
}

inline peer::Frame beat_frame(std::uint64_t number) {
  peer::Frame frame;
  frame.mutable_beat()->set_number(number);
  return frame;
}

/// A node, and what it was told.
class Node {
 public:
  using Change = std::function<void(PeerLinksOptions&)>;

  Node(World& world, std::uint32_t id, char boot = 'a', const Change& change = {}) : world_(world) {
    PeerLinksOptions options;
    options.own = hello_of(id, boot);
    options.clock = [] { return from_ms(1'000'000'000); };
    if (change) change(options);
    links_ = std::make_unique<PeerLinks>(world.executor(), options, handlers());
    auto port = links_->listen();
    REQUIRE(port);
    port_ = *port;
  }
  ~Node() { end(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// As a process ends: what it had is closed when this returns.
  void end() {
    if (!links_) return;
    links_->close();
    TaskGroup joins(world_.executor());
    joins.spawn("join", links_->join());
    CHECK(world_.until([&joins] { return joins.size() == 0; }));
    links_.reset();
  }

  PeerLinks& links() { return *links_; }
  std::uint16_t port() const { return port_; }
  HostPort address() const { return {"127.0.0.1", port_}; }
  void dial(const std::vector<std::pair<std::uint32_t, HostPort>>& whom) {
    std::map<NodeId, HostPort> peers;
    for (const auto& [node, where] : whom) peers[NodeId(node)] = where;
    links_->set_peers(peers);
  }
  /// Waits for an event; they are "up 2 a" (node, first character of the boot id) and "down 2 closed".
  bool sees(const std::string& event, std::chrono::milliseconds bound = 10s) {
    return world_.until([this, &event] { return count(event) > 0; }, bound);
  }
  long count(const std::string& event) const { return std::count(events.begin(), events.end(), event); }
  bool was_refused(const std::string& because) {
    return world_.until([this, &because] {
      for (const auto& reason : reasons) {
        if (reason.find(because) != std::string::npos) return true;
      }
      return false;
    });
  }
  PeerFigures figures_of(std::uint32_t node) const {
    for (const auto& peer : links_->figures().peers) {
      if (peer.node == NodeId(node)) return peer;
    }
    return {};
  }

  std::vector<std::string> events;
  std::vector<std::pair<NodeId, std::unique_ptr<peer::Frame>>> frames;
  std::vector<StoreId> stores;  ///< that the frames came from
  std::vector<std::string> reasons;
  std::function<void()> on_up_also;

 private:
  PeerHandlers handlers() {
    PeerHandlers handlers;
    handlers.on_up = [this](const peer::Hello& theirs) {
      events.push_back("up " + std::to_string(theirs.node()) + " " + theirs.boot_id().substr(0, 1));
      if (on_up_also) on_up_also();
    };
    handlers.on_down = [this](NodeId node, LinkDown how) {
      events.push_back("down " + std::to_string(node.value) + " " + name_of(how));
    };
    handlers.on_frame = [this](const Member& from, std::unique_ptr<peer::Frame> frame) {
      frames.emplace_back(from.node, std::move(frame));
      stores.push_back(from.store);
    };
    handlers.on_refused = [this](NodeId, const std::string& reason) { reasons.push_back(reason); };
    return handlers;
  }

  World& world_;
  std::unique_ptr<PeerLinks> links_;
  std::uint16_t port_ = 0;
};

/// A raw connection, polled: whoever waits for it keeps the loop turning.
class Raw {
 public:
  explicit Raw(tcp::socket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }
  static Raw to(World& world, std::uint16_t port) {
    tcp::socket socket(world.executor());
    socket.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
    return Raw(std::move(socket));
  }
  void write(const std::string& bytes) {
    REQUIRE(::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void write(const peer::Frame& frame) {
    std::string bytes;
    append_frame(bytes, frame);
    write(bytes);
  }
  void write_hello(const peer::Hello& hello) {
    peer::Frame frame;
    *frame.mutable_hello() = hello;
    write(frame);
  }
  /// Takes in what has come; true while the connection stands.
  bool read() {
    char buffer[64 * 1024];
    for (;;) {
      const auto got = ::recv(socket_.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) {
        std::string_view input(buffer, static_cast<std::size_t>(got));
        take(input);
        continue;
      }
      return got < 0 && errno == EAGAIN;
    }
  }
  bool ends(World& world) {
    return world.until([this, &world] {
      boost::asio::post(world.executor(), [] {});
      return !read();
    });
  }
  bool gets_frames(World& world, std::size_t count) {
    return world.until([this, &world, count] {
      read();
      boost::asio::post(world.executor(), [] {});
      return frames.size() >= count;
    });
  }
  tcp::socket& socket() { return socket_; }

  std::vector<std::unique_ptr<peer::Frame>> frames;

 private:
  void take(std::string_view input) {
    for (;;) {
      auto frame = decoder_.next(input);
      REQUIRE(frame);
      if (!*frame) return;
      frames.push_back(std::move(*frame));
    }
  }
  tcp::socket socket_;
  PeerFrames decoder_{kPeerFrameBytesMax};
};

/// Listens, and answers only as the test says.
class RawPeer {
 public:
  explicit RawPeer(World& world)
      : world_(world), acceptor_(world.executor(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    acceptor_.non_blocking(true);
  }
  HostPort address() const { return {"127.0.0.1", acceptor_.local_endpoint().port()}; }
  Raw accept() {
    tcp::socket socket(world_.executor());
    REQUIRE(world_.until([this, &socket] {
      boost::asio::post(world_.executor(), [] {});
      error_code error;
      acceptor_.accept(socket, error);
      return !error;
    }));
    return Raw(std::move(socket));
  }
  /// Takes a connection, and greets as `hello` says.
  Raw greet(const peer::Hello& hello) {
    auto raw = accept();
    REQUIRE(raw.gets_frames(world_, 1));
    REQUIRE(raw.frames[0]->has_hello());
    raw.frames.clear();
    raw.write_hello(hello);
    return raw;
  }

 private:
  World& world_;
  tcp::acceptor acceptor_;
};

}  // namespace holdfast::failover::testing
