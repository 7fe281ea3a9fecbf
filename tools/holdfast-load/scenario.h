/// What one process does of a scenario, step by step, as the conductor tells it.
///
/// The steps of each scenario, their order and what is measured between them stand with its script (scripts.h); which
/// names it counts under stands with the scenario itself.
#pragma once

#include <memory>
#include <string>

#include "tools/holdfast-load/workplace.h"

namespace holdfast::load {

/// Owned by the worker, destroyed before its workplace and outside of clients' callbacks. One step at a time.
class Scenario {
 public:
  virtual ~Scenario() = default;

  /// Fails with whatever makes the rest of the run pointless, and says why.
  virtual Awaitable<Result<Found>> step(std::string name, Found found) = 0;
  /// Something is about to be broken. During a step.
  virtual void fault() {}
  /// The last step is over: what is known now goes into the tally.
  virtual void finish() {}
};

/// The one that the plan names. Fails with unsupported.
Result<std::unique_ptr<Scenario>> make_scenario(Workplace& place);

// One for each file of this name.
std::unique_ptr<Scenario> make_storm(Workplace& place);
std::unique_ptr<Scenario> make_idle(Workplace& place);
std::unique_ptr<Scenario> make_groups(Workplace& place);
std::unique_ptr<Scenario> make_mix(Workplace& place);
std::unique_ptr<Scenario> make_hostile(Workplace& place);

/// For a step that this scenario does not have: the conductor is of another version.
Error no_such_step(const std::string& scenario, const std::string& step);

}  // namespace holdfast::load
