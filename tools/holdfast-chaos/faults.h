/// The kinds of faults: how each is done, held and undone. All randomness comes from the run's seed.
#pragma once

#include <functional>
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
};
const std::vector<FaultKind>& fault_kinds();
const FaultKind* find_kind(const std::string& name);

/// Carries out one fault after the other on a stage.
///
/// Owned by main; its thread. Each call leaves the stage as it found it, whole or not: waiting for that is the caller's.
class Faults {
 public:
  /// `whereabouts`: where clients are connected.
  Faults(Stage& stage, Random& random, SteadyTime began, std::function<std::vector<client::Endpoint>()> whereabouts)
      : stage_(stage), random_(random), began_(began), whereabouts_(std::move(whereabouts)) {}

  /// Breaks, holds, undoes. Fails if it could not be done, and nothing is broken then.
  Result<Fault> carry_out(const std::string& kind);

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

  /// The coordinator, the node that leads most, the one with most clients, or any: a quarter each.
  std::size_t some_node(Fault& fault);
  std::size_t node_with_most_clients() const;
  /// Holds the fault for a time in these bounds.
  void hold(std::chrono::milliseconds from, std::chrono::milliseconds to);
  Status restart(std::size_t node, bool before, Fault& fault);
  Micros now() const;

  Stage& stage_;
  Random& random_;
  const SteadyTime began_;
  const std::function<std::vector<client::Endpoint>()> whereabouts_;
};

}  // namespace holdfast::chaos
