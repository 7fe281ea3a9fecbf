// Sessions that were ended on purpose: H9.
#include <algorithm>

#include "tools/holdfast-chaos/checks.h"

namespace holdfast::chaos {
namespace {

std::string at(Micros time) { return std::to_string(time / 1'000) + " ms"; }

/// From when on it must be refused: the end was acknowledged, or somebody has refused it already. Nothing: never.
std::optional<Micros> end_of(const Visit& visit) {
  std::optional<Micros> end;
  if (visit.acked >= 0) end = visit.acked;
  for (const Try& one : visit.tries)
    if (!one.accepted) end = std::min(end.value_or(one.completed), one.completed);
  return end;
}

}  // namespace

void check_visits(const History& history, Findings& found) {
  for (std::size_t i = 0; i < history.visits.size(); ++i) {
    const Visit& visit = history.visits[i];
    const std::string session = "session " + std::to_string(i) + " of user" + std::to_string(visit.user);
    const auto end = end_of(visit);
    for (const Try& one : visit.tries) {
      if (one.accepted && end && one.invoked > *end)
        found.say(Kind::revoked_accepted, session + " was accepted by " + one.node + " at " + at(one.completed) +
                                              ", having ended (" + visit.how + ") at " + at(*end));
      if (!one.accepted && (visit.asked < 0 || one.completed < visit.asked))
        found.say(Kind::went_back,
                  session + " was refused by " + one.node + " at " + at(one.completed) + ", and nobody had ended it");
    }
  }
}

}  // namespace holdfast::chaos
