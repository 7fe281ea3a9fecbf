/// A running holdfastd: everything put together, started in order and taken down in order.
///
/// Owned by main(). Thread: the main thread; it runs the node's control loop (signals, the disk's room, the clock, the
/// HTTP ports), while workers, committer, applier and pools have threads of their own.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace holdfast {

class Node {
 public:
  /// Opens the data, recovers, takes the partitions' next epochs and listens. Every error says what to do.
  static Result<std::unique_ptr<Node>> start(const Config& config);
  ~Node();

  /// Serves until SIGTERM or SIGINT, then drains: stops accepting, finishes what is in flight, says good-bye to clients,
  /// and comes back within the configured bound. Returns the exit code.
  int run();

  /// What listens where and how to chat, for a person who just started it.
  std::string welcome() const;

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
