/// Sessions that are made only to be ended again (H9): what comes with their tokens afterwards is to be refused by all.
///
/// A visit: a new session of one of the crowd's users connects somewhere and asks things all the time; then it logs out,
/// or another device of the user, on whatever node that is, revokes it. Asking goes on, and its token is tried at every
/// node, at once and later. Every try is recorded with its invocation and completion.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "clients/cpp/client.h"
#include "net/task_group.h"
#include "tools/holdfast-chaos/history.h"
#include "tools/holdfast-load/options.h"

namespace holdfast::chaos {

struct VisitorSettings {
  load::Options provisioning;                               ///< every node's endpoint, and the operators' key
  std::vector<std::string> users;                           ///< names
  std::function<client::Client&(std::uint32_t user)> host;  ///< a client that is the user's
  std::function<Micros()> now;
  std::size_t at_once = 2;
  std::uint64_t seed = 1;
};

/// Owned by Crowd; its one thread. `runtime` and `visits` outlive it; end() before it is destroyed.
class Visitors {
 public:
  Visitors(client::ClientRuntime& runtime, VisitorSettings settings, std::vector<Visit>& visits);
  ~Visitors();
  Visitors(const Visitors&) = delete;
  Visitors& operator=(const Visitors&) = delete;

  /// Visits follow each other until end().
  void begin();
  /// Nobody comes any more; returns when the last ones have gone.
  Awaitable<void> end();
  /// Once all is well again: the token of every ended session, at one node each.
  Awaitable<void> knock_again();

 private:
  class Guest;

  Awaitable<void> one_after_the_other();
  Awaitable<void> visit();
  Awaitable<void> stay(Guest* guest, std::chrono::milliseconds time);
  Awaitable<void> end_session(Guest* guest);
  Awaitable<void> knock(std::size_t visit, client::Endpoint node);
  client::ClientOptions options(std::size_t visit, std::vector<client::Endpoint> endpoints) const;
  client::Endpoint some_node();
  std::chrono::milliseconds between(std::uint64_t from_ms, std::uint64_t to_ms);

  client::ClientRuntime& runtime_;
  const VisitorSettings settings_;
  std::vector<Visit>& visits_;
  std::vector<std::string> tokens_;  ///< by visit
  SeededRandom random_;
  TaskGroup tasks_;
  bool ending_ = false;
};

}  // namespace holdfast::chaos
