/// The kinds of faults: how each is done, held and undone. All randomness comes from the run's seed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tools/holdfast-chaos/history.h"
#include "tools/holdfast-chaos/stage.h"

namespace holdfast::chaos {

/// What a kind needs that not every machine has.
enum class Need : std::uint8_t { nothing, namespaces, shim, small_disk, earlier_build };

struct FaultKind {
  const char* name;
  Need need;
  const char* what;
  bool of_a_node = true;  ///< and it can be said of which
};
const std::vector<FaultKind>& fault_kinds();
/// The part of "kill:busiest" before the colon.
const FaultKind* find_kind(const std::string& fault);

/// Which node a fault is done to: the part behind the colon.
enum class Target : std::uint8_t {
  any,      ///< the coordinator, the busiest, the one with most clients, or any: a quarter each
  busiest,  ///< that leads most partitions
  coordinator,
  clients,  ///< that most clients are connected to
  neither,  ///< neither the busiest nor the coordinator
};
/// Nothing: "kill:whom" names no target, or its kind has none.
std::optional<Target> target_of(const std::string& fault);

/// Carries out one fault after the other on a stage.
///
/// Owned by main; its thread. Each call leaves the stage as it found it, whole or not: waiting for that is the caller's.
class Faults {
 public:
  /// `whereabouts`: where clients are connected.
  /// `hold`: how long what has a time is held; zero: a time of chance.
  Faults(Stage& stage, Random& random, SteadyTime began, std::function<std::vector<client::Endpoint>()> whereabouts,
         std::chrono::milliseconds hold)
      : stage_(stage), random_(random), began_(began), whereabouts_(std::move(whereabouts)), hold_(hold) {}

  /// Breaks, holds, undoes. Fails if it could not be done, and nothing is broken then. `fault`: "kill", "kill:busiest".
  Result<Fault> carry_out(const std::string& fault);

 private:
  using Action = Status (Faults::*)(Fault& fault);
  static Action action_of(const std::string& kind);

  Status kill(Fault& fault);
  Status pause(Fault& fault);
  Status cut(Fault& fault);
  Status partial(Fault& fault);
  Status slow_net(Fault& fault);
  Status slow_disk(Fault& fault);
  Status full_disk(Fault& fault);
  Status wipe(Fault& fault);
  Status clock(Fault& fault);
  Status etcd_kill(Fault& fault);
  Status etcd_outage(Fault& fault);
  Status drain(Fault& fault);
  Status rolling(Fault& fault);

  /// One that fits the target.
  std::size_t some_node(Fault& fault);
  std::size_t node_with_most_clients() const;
  /// Holds the fault for a time in these bounds, or as long as was asked for.
  void hold(std::chrono::milliseconds from, std::chrono::milliseconds to);
  Status restart(std::size_t node, bool before, Fault& fault);
  Micros now() const;

  Stage& stage_;
  Random& random_;
  const SteadyTime began_;
  const std::function<std::vector<client::Endpoint>()> whereabouts_;
  const std::chrono::milliseconds hold_;
  Target target_ = Target::any;  ///< of the fault that is being done
};

}  // namespace holdfast::chaos
