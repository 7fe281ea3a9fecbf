/// A node, its clients, and what happened: runs them together, restarts the node where it dies, and judges at the end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/history_checker.h"
#include "tests/support/sim_client.h"

namespace holdfast {

class SimWorld {
 public:
  explicit SimWorld(OneThreadOptions options);
  ~SimWorld();

  OneThreadNode& node() { return node_; }
  History& history() { return history_; }
  SimClient& add_client(SimClient::Options options);
  SimClient& client(std::size_t index) { return *clients_[index]; }
  std::size_t clients() const { return clients_.size(); }

  /// Steps until `done`; a node that dies is restarted and its clients reconnect. CHECKs that it comes to that.
  void run_until(const std::function<bool()>& done);
  /// Until all clients are idle and nothing is under way.
  void settle();
  /// One step of everything. False: nothing to do now.
  bool step();
  void kill();
  std::uint64_t deaths() const { return deaths_; }
  /// Called right after each restart, before anything else.
  void on_restart(std::function<void()> callback) { on_restart_ = std::move(callback); }

  /// Asks, and runs until the answer is there.
  v1::ServerFrame ask(SimClient& client, v1::ClientFrame frame);

  /// Settles, then says everything that is wrong: the history, the log's chain, the state against the log.
  std::vector<std::string> verdict();

 private:
  void restart();

  OneThreadNode node_;
  History history_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::function<void()> on_restart_;
  std::uint64_t deaths_ = 0;
};

}  // namespace holdfast
