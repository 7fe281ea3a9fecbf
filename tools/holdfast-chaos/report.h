/// What a run came to: summary.json for programs, report.html for people, history.jsonl for whoever looks for a cause.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/holdfast-chaos/checker.h"
#include "tools/holdfast-chaos/outages.h"

namespace holdfast::chaos {

struct Report {
  const History* history = nullptr;
  std::vector<Violation> violations;
  std::vector<std::string> missed_goals;  ///< H13
  bool goals_count = true;                ///< a missed one is a failure
  std::vector<std::string> notes;         ///< what was left out, and why; the flap limits
  std::uint64_t seed = 0;
  std::string command;  ///< to repeat it
  std::string began;    ///< date and time
  std::size_t nodes = 0, clients = 0;
  double rate = 0;

  bool good() const { return violations.empty() && (missed_goals.empty() || !goals_count); }
};

/// "lost", "duplicated", "out_of_order" as they are counted for people: a change that a device missed is lost, too.
struct Counts {
  std::size_t sent = 0, acked = 0, refused = 0, unknown = 0;
  std::size_t lost = 0, duplicated = 0, out_of_order = 0;
  std::size_t letters = 0, mails = 0, mails_missing = 0;  ///< H11: letters are those that were acknowledged
  std::size_t mails_repeated = 0;  ///< under a Message-ID that had come before: no violation after a fault
  std::size_t sessions_ended = 0, tries_after = 0;  ///< H9: and how often their tokens and connections were tried then
};
Counts counts_of(const Report& report);

std::string summary_json(const Report& report);
std::string report_html(const Report& report);
/// One JSON object a line: operations, devices' sights, letters, mails, faults.
Status write_history(const History& history, const std::filesystem::path& file);
/// All three into `folder`, which is made. Fails with io.
Status write_report(const Report& report, const std::filesystem::path& folder);

}  // namespace holdfast::chaos
