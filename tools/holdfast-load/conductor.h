/// Whoever has the workers do the steps of a run, all of them at the same time, and adds up what they counted.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/asio.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "tools/holdfast-load/channel.h"
#include "tools/holdfast-load/splitting.h"
#include "tools/holdfast-load/workplace.h"

namespace holdfast::load {

struct ConductorOptions {
  std::string operator_key_file;
  std::vector<HostPort> workers_at;  ///< empty: processes of our own, on this machine
  Split split;
};

/// Owned by the run, outlives the loop; on its one thread. Our own worker processes end when it goes, whatever way.
class Conductor {
 public:
  Conductor(any_io_executor executor, ConductorOptions options);
  ~Conductor();

  /// The workers are there and have the plan. Fails with io or permission_denied, saying which worker.
  Awaitable<Status> start(Plan plan);
  /// From this moment curves count.
  void begin();
  /// All workers do it; when all are done, what they left. Fails with the first worker's failure.
  Awaitable<Result<Found>> step(std::string name, Found found = {});
  /// Something is about to be broken: returns when that has been said.
  Awaitable<void> tell_fault();
  /// What all of them counted. The workers end.
  Awaitable<Result<Tally>> finish();

  /// The last of all, whatever went before: nobody listens to the workers any more.
  Awaitable<void> close();

  /// The sum of what they last said of a count.
  std::uint64_t count(const std::string& name) const;
  std::size_t workers() const { return workers_.size(); }
  std::function<void(const std::string&)> say = [](auto&&) {};  ///< what the first worker says, for people

 private:
  struct Worker {
    std::string name;
    std::unique_ptr<Channel> channel;
    std::map<std::string, std::uint64_t> counts;
    bool ended = false;  ///< it said all, or failed
    bool done = false;   ///< with the step
    Found found;
    std::string failure;
    std::optional<Tally> tally;
  };

  Awaitable<Status> start_own();
  Awaitable<Status> dial();
  bool spawn_process(std::uint16_t port);
  static Awaitable<void> listen_to(Conductor* conductor, Worker* worker);
  void take(Worker& worker, const std::string& text);
  Awaitable<Status> wait_for_all(std::function<bool(const Worker&)> done);

  any_io_executor executor_;
  const ConductorOptions options_;
  std::string operator_key_;
  TaskGroup tasks_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<pid_t> processes_;
};

}  // namespace holdfast::load
