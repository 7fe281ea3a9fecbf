#include "tests/support/audit_checker.h"

#include <map>

#include "base/check.h"
#include "server/services/audit_lines.h"
#include "storage/audit_row.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

using Counts = std::map<std::string, int>;  ///< lines as texts -> how many

/// Without what the rule adds, which the event does not know.
std::string text_of(state::AuditLine line) {
  line.clear_time_ms();
  for (auto& subject : *line.mutable_subjects()) subject.clear_name();
  return line.ShortDebugString();
}

std::vector<Counts> lines_due(const Archive& archive) {
  std::vector<Counts> due(archive.size());
  const auto partitions = static_cast<std::uint16_t>(archive.size());
  for (std::uint16_t p = 0; p < partitions; ++p)
    for (const log::Entry& entry : archive[p])
      for (int i = 0; i < entry.events_size(); ++i)
        for (const auto& [to, line] :
             services::audit_lines({PartitionId(p), partitions, entry, static_cast<std::uint32_t>(i)}))
          ++due[to.value][text_of(line)];
  return due;
}

Counts lines_there(PartitionId partition, const Database& state, std::vector<std::string>& found) {
  const std::string where = "the audit journal of partition " + std::to_string(partition.value) + ": ";
  Counts there;
  state::AuditHead head;
  const auto head_row = state.get(keys::stored(partition, keys::audit_head()));
  HF_CHECK(head_row, "the state can be read");
  if (!*head_row) return there;
  HF_CHECK(head.ParseFromString(**head_row), "a stored row parses");
  AuditChain chain(head);
  for (std::uint64_t n = head.first(); n < head.next(); ++n) {
    const auto row = state.get(keys::stored(partition, keys::audit(n)));
    HF_CHECK(row, "the state can be read");
    if (!*row) continue;
    if (const auto wrong = chain.next(n, **row)) found.push_back(where + *wrong);
    state::AuditLine line;
    HF_CHECK(line.ParseFromString(std::string(split_audit_row(**row)->line)), "a line parses");
    ++there[text_of(line)];
  }
  if (const auto wrong = chain.end()) found.push_back(where + *wrong);
  return there;
}

}  // namespace

void check_audit(const Archive& archive, const Database& state, std::vector<std::string>& found) {
  const std::vector<Counts> due = lines_due(archive);
  for (std::uint16_t p = 0; p < due.size(); ++p) {
    Counts there = lines_there(PartitionId(p), state, found);
    for (const auto& [line, count] : due[p])
      if (there[line] != count)
        found.push_back(std::to_string(there[line]) + " audit lines for " + std::to_string(count) + " events: " + line);
    for (const auto& [line, count] : there)
      if (count > 0 && !due[p].contains(line)) found.push_back("an audit line of nothing: " + line);
  }
}

}  // namespace holdfast
