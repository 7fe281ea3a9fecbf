#include "tools/holdfastctl/incident.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {

void add_incident(CLI::App& incident, IncidentCommand& command) {
  const auto add = [&](const char* name, const char* help, bool needs_text) {
    auto* one = incident.add_subcommand(name, help)->fallthrough();
    auto* text = one->add_option("TEXT", command.text, "for users, in their words: 1 to 1,000 bytes");
    if (needs_text) text->required();
    command.all.push_back(one);
  };
  add("start", "a banner for all who are connected, a note on /status; messages are mailed sooner", true);
  add("update", "say more about the one that is open", true);
  add("stop", "it is over", false);
}

std::optional<int> run_incident(const IncidentCommand& command, const Asked& asked) {
  const auto wanted =
      std::find_if(command.all.begin(), command.all.end(), [](const CLI::App* one) { return one->parsed(); });
  if (wanted == command.all.end()) return std::nullopt;
  auto admin = make_admin(asked);
  if (!admin) return failed(admin.error());
  if (const Status done = admin->post("/admin/incident-" + (*wanted)->get_name(), command.text); !done)
    return failed(done.error());
  std::cout << "Users are being told; /status shows it.\n";
  return kExitOk;
}

}  // namespace holdfast::ctl
