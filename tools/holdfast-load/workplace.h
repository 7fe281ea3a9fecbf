/// What the parts of one worker process share.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "clients/cpp/runtime.h"
#include "net/asio.h"
#include "net/task_group.h"
#include "tools/holdfast-load/plan.h"
#include "tools/holdfast-load/tally.h"

namespace holdfast::load {

/// What one step of a run leaves for those after it: lists of texts by name. What several processes leave under one name
/// stands in the order of their shares.
using Found = std::map<std::string, std::vector<std::string>>;

/// Owned by the worker, outlives its scenario; on the one thread.
struct Workplace {
  Workplace(any_io_executor on, Plan what, Target whom) : plan(std::move(what)), target(std::move(whom)), runtime(on) {}

  Plan plan;
  Target target;
  Share share;
  Share live_share;                  ///< of the live traffic beside it, which may have processes of its own
  std::vector<std::string> sources;  ///< addresses to connect from, in turn; empty: the system's choice
  client::ClientRuntime runtime;
  Tally tally;
  SteadyTime began;                                             ///< what the curves count from
  std::function<void(const std::string&)> say = [](auto&&) {};  ///< progress, for people

  any_io_executor executor() const { return runtime.executor(); }
  std::string source(std::uint64_t index) const { return sources.empty() ? "" : sources[index % sources.size()]; }
  /// Something was to happen at `planned` and happens now.
  void acted(SteadyTime planned);
};

/// Waits until `done`, asked now and then; false if that took longer than `max`.
Awaitable<bool> wait_until(Workplace* place, std::function<bool()> done, std::chrono::duration<double> max);
Awaitable<void> wait_for(Workplace* place, std::chrono::duration<double> time);
/// Lets the loop go round: whoever leaves a client's callback, or has kept the thread for long.
Awaitable<void> next_turn(Workplace* place);

/// How many moments `rate` a second has in `time`, the first of them at its beginning.
std::uint64_t moments(double rate, std::chrono::duration<double> time);

/// Open loop: calls `act(i, planned)` for the moments of this share of `rate` a second, over all processes, for `time`,
/// each at its moment or, if the process is behind, as soon as it can; or until `stop`, which may be null.
Awaitable<void> at_rate(Workplace* place, Share share, double rate, std::chrono::duration<double> time,
                        std::function<void(std::uint64_t, SteadyTime)> act, const bool* stop = nullptr);

}  // namespace holdfast::load
