#include "server/services/rules.h"

#include <array>

#include "server/services/due.h"
#include "server/services/intents.h"

namespace holdfast::services {
namespace {

using C = command::Command;

enum class Does : std::uint8_t { read, write };
/// One line a rule: the command or request (a oneof's case), the rule, and whether it may write.
struct Line {
  int which;
  chat::Rule rule;
  Does does;
};

constexpr Line kCommands[] = {
    {C::kRunDue, run_due, Does::write},
    {C::kIntentDone, intent_done, Does::write},
};

constexpr std::size_t kCasesMax = 128;
constexpr auto kByCommand = [] {
  std::array<const Line*, kCasesMax> lines{};
  for (const Line& line : kCommands) lines[static_cast<std::size_t>(line.which)] = &line;
  return lines;
}();

/// Null: it is chat's.
const Line* line_of(const command::Command& command) {
  return command.has_request() ? nullptr : kByCommand[static_cast<std::size_t>(command.what_case())];
}

}  // namespace

chat::Rule rule_for(const command::Command& command) {
  const Line* line = line_of(command);
  return line ? line->rule : chat::rule_for(command);
}

bool is_read_only(const command::Command& command) {
  const Line* line = line_of(command);
  return line ? line->does == Does::read : chat::is_read_only(command);
}

std::string_view order_key(const command::Command& command) {
  if (command.has_source()) return command.source().subscriber();
  if (command.has_run_due()) return command.run_due().key();
  return chat::order_key(command);
}

}  // namespace holdfast::services
