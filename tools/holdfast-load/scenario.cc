#include "tools/holdfast-load/scenario.h"

namespace holdfast::load {

Result<std::unique_ptr<Scenario>> make_scenario(Workplace& place) {
  const std::string& name = place.plan.scenario;
  if (name == "storm" || name == "catchup") return make_storm(place);
  if (name == "idle") return make_idle(place);
  if (name == "groups") return make_groups(place);
  if (name == "mix") return make_mix(place);
  if (name == "hostile") return make_hostile(place);
  return Error{Errc::unsupported, "this worker has no scenario \"" + name + "\": it is of another version"};
}

Error no_such_step(const std::string& scenario, const std::string& step) {
  return {Errc::unsupported, "this worker's " + scenario + " has no step \"" + step + "\": it is of another version"};
}

}  // namespace holdfast::load
