#include "tools/holdfast-chaos/checker.h"

#include "tools/holdfast-chaos/checks.h"

namespace holdfast::chaos {
namespace {

struct Names {
  const char* rule;
  const char* name;
};
Names names_of(Kind kind) {
  switch (kind) {
    case Kind::lost: return {"H1", "lost"};
    case Kind::duplicated: return {"H2", "duplicated"};
    case Kind::out_of_order: return {"H3", "out_of_order"};
    case Kind::altered: return {"H4", "altered"};
    case Kind::went_back: return {"H5", "went_back"};
    case Kind::phantom: return {"H6", "phantom"};
    case Kind::refused_seen: return {"H7", "refused_seen"};
    case Kind::not_delivered: return {"H8", "not_delivered"};
    case Kind::revoked_accepted: return {"H9", "revoked_accepted"};
    case Kind::mail_missing: return {"H11", "mail_missing"};
    case Kind::mail_repeated: return {"H11", "mail_repeated"};
    case Kind::mail_unwanted: return {"H11", "mail_unwanted"};
    case Kind::diverged: return {"H10", "diverged"};
    case Kind::not_recovered: return {"H12", "not_recovered"};
    case Kind::crashed: return {"I", "crashed"};
    case Kind::unchecked: return {"--", "unchecked"};
  }
  return {"?", "?"};
}

}  // namespace

const char* rule_of(Kind kind) { return names_of(kind).rule; }
const char* name_of(Kind kind) { return names_of(kind).name; }

std::vector<Violation> check(const History& history, const CheckLimits& limits) {
  Findings found(history);
  const Stored stored(history);
  check_stored(history, stored, found);
  check_answers(history, stored, found);
  check_devices(history, stored, found);
  check_visits(history, found);
  check_mails(history, limits, found);
  check_replicas(history, found);
  check_recovery(history, limits, found);
  for (const std::string& crash : history.crashes) found.say(Kind::crashed, crash);
  return found.take();
}

std::map<Kind, std::size_t> count(const std::vector<Violation>& violations) {
  std::map<Kind, std::size_t> counts;
  for (const Violation& one : violations) ++counts[one.kind];
  return counts;
}

}  // namespace holdfast::chaos
