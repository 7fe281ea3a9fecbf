/// Pairs of users who talk with each other while something else goes on: what that does to them is what is measured.
///
/// Counts under the prefix of the present phase, as MessageFigures does; what is under way when a phase ends counts in
/// the next one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/task_group.h"
#include "tools/holdfast-load/session.h"

namespace holdfast::load {

/// Owned by a scenario, destroyed outside of callbacks and after stop(). Takes its share of the plan's live_pairs; without
/// any, all of it does nothing.
class LiveTraffic final : public SessionEvents {
 public:
  explicit LiveTraffic(Workplace& place) : place_(place), tasks_(place.executor()) {}

  /// Users made, online, their conversations open.
  Awaitable<Status> prepare();
  /// From now on they talk, the plan's rate over all pairs and processes, counted under this prefix.
  void talk(const std::string& prefix);
  void count_under(const std::string& prefix);
  /// No more is planned; what is under way comes to its end, if that takes no longer than a minute.
  Awaitable<void> stop();
  /// What was lost and the like goes into the tally.
  void finish();

  std::uint64_t resumes() const;

 private:
  struct Pair {
    std::unique_ptr<Talk> talk;
    std::unique_ptr<Session> sender, receiver;
  };
  Awaitable<Status> open_talks();

  Workplace& place_;
  TaskGroup tasks_;
  std::vector<Pair> pairs_;
  std::vector<std::unique_ptr<MessageFigures>> phases_;
  bool stopping_ = false;
};

}  // namespace holdfast::load
