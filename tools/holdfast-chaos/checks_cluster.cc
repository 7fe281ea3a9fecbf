// The cluster itself: H10 and H12.
#include <algorithm>

#include "tools/holdfast-chaos/checks.h"

namespace holdfast::chaos {
namespace {

std::string seconds(Micros time) { return std::to_string(time / 1'000'000) + " s"; }

/// Messages that waited longer than they may after the fault that held them up was undone.
void check_waits(const History& history, const Fault& fault, Micros until, Micros limit,
                 std::map<std::uint32_t, Micros>& said, Findings& found) {
  for (std::uint64_t id = 0; id < history.operations.size(); ++id) {
    const Operation& sent = history.operations[id];
    if (sent.invoked < fault.began || sent.invoked >= until) continue;
    const Micros from = std::max(sent.invoked, fault.ended);
    const bool answered = sent.outcome != Operation::Outcome::unknown;
    if (answered && sent.completed - from <= limit) continue;
    // What waits behind one that was found is no further finding.
    Micros& found_until = said.try_emplace(sent.conversation, -1).first->second;
    if (sent.invoked < found_until) continue;
    found_until = answered ? sent.completed : history.sending_ended;
    found.say(Kind::not_recovered, found.message(id) + " in " + found.conversation(sent.conversation) +
                                       (answered ? " was answered " + seconds(sent.completed - from) + " after "
                                                 : " was never answered after ") +
                                       fault.kind + " of " + fault.target + " was undone");
  }
}

}  // namespace

void check_replicas(const History& history, Findings& found) {
  std::map<std::uint16_t, std::vector<const ReplicaLog*>> partitions;
  for (const ReplicaLog& log : history.replicas) partitions[log.partition].push_back(&log);
  for (std::uint16_t p = 0; p < history.partitions; ++p) {
    const auto& logs = partitions[p];
    if (logs.size() < history.copies)
      found.say(Kind::diverged, "partition " + std::to_string(p) + " has " + std::to_string(logs.size()) +
                                    " copies, and should have " + std::to_string(history.copies));
    for (const ReplicaLog* log : logs)
      if (log->chain != logs.front()->chain)
        found.say(Kind::diverged, "partition " + std::to_string(p) + " has another history on " + log->node +
                                      " than on " + logs.front()->node + " up to " + std::to_string(log->compared_seq));
  }
}

void check_recovery(const History& history, const CheckLimits& limits, Findings& found) {
  std::map<std::uint32_t, Micros> said;  // by conversation, until when
  for (std::size_t i = 0; i < history.faults.size(); ++i) {
    const Fault& fault = history.faults[i];
    if (fault.healthy < 0)
      found.say(Kind::not_recovered, "not all partitions are in sync again after " + fault.kind + " of " +
                                         fault.target + " at " + seconds(fault.began));
    const Micros until = i + 1 < history.faults.size() ? history.faults[i + 1].began : history.sending_ended;
    check_waits(history, fault, until, limits.recovery_max, said, found);
  }
  if (history.settled < 0) found.say(Kind::not_recovered, "at the end not everything was answered and shown");
}

}  // namespace holdfast::chaos
