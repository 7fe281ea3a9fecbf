/// The steps of each scenario, as the conductor has its workers do them. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/holdfast-load/plan.h"

namespace holdfast::load {

struct Step {
  std::string name = {};
  std::string says = {};      ///< to people; empty: the workers say what they do
  bool measured = false;      ///< the first of these is the beginning of what curves show
  bool quiet_before = false;  ///< waits until the servers rest: what they still have to do is not this step's
  bool fault_within = false;  ///< the run's fault comes in it
};

/// A count that the line of progress shows: as it is, or what was added since the line before, a second.
struct Shown {
  std::string label;
  std::string count;
  bool a_second = false;
};

struct Script {
  std::vector<Step> steps;
  std::vector<Shown> progress;
};

Script script_of(const Plan& plan);

}  // namespace holdfast::load
