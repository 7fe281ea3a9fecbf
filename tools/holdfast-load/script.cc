#include "tools/holdfast-load/script.h"

#include "base/check.h"

namespace holdfast::load {
namespace {

Script storm(const Plan& plan) {
  Script script;
  script.steps.push_back({.name = "prepare", .says = "preparing"});
  if (plan.fault) script.steps.push_back({.name = "connect"});
  if (plan.live_pairs > 0)
    script.steps.push_back(
        {.name = "before", .says = "measuring without a storm", .measured = true, .quiet_before = true});
  script.steps.push_back({.name = "storm",
                          .says = plan.fault ? "breaking a node" : "storm",
                          .measured = true,
                          .quiet_before = plan.live_pairs == 0,
                          .fault_within = plan.fault});
  script.steps.push_back({.name = "settle", .measured = true});
  script.progress = {{"connected", "connected"}, {"resumed", "resumed"},        {"resumed/s", "resumed", true},
                     {"caught up", "caught_up"}, {"messages/s", "shown", true}, {"refused", "refused"},
                     {"given up", "timed_out"}};
  return script;
}

Script idle() {
  Script script;
  script.steps = {{.name = "prepare"},
                  {.name = "open", .says = "opening the sessions", .measured = true, .quiet_before = true},
                  {.name = "hold", .says = "holding them", .measured = true, .quiet_before = true},
                  {.name = "talk", .says = "messages to some of them", .measured = true}};
  script.progress = {{"online", "online"},
                     {"lost", "lost_connections"},
                     {"messages/s", "message_delivered", true},
                     {"kept alive with B/s", "written_bytes", true}};
  return script;
}

Script groups() {
  Script script;
  script.steps = {{.name = "provision"},
                  {.name = "gather"},
                  {.name = "connect"},
                  {.name = "plan", .measured = true, .quiet_before = true},
                  {.name = "send", .says = "sending", .measured = true},
                  {.name = "settle", .measured = true}};
  script.progress = {{"sent/s", "message_sent", true},
                     {"acknowledged/s", "message_acked", true},
                     {"delivered/s", "message_delivered", true}};
  return script;
}

Script mix() {
  Script script;
  script.steps = {{.name = "prepare"},
                  {.name = "run", .says = "a day's mix", .measured = true, .quiet_before = true},
                  {.name = "settle", .measured = true}};
  script.progress = {{"messages/s", "message_delivered", true},
                     {"in groups/s", "group_delivered", true},
                     {"reads/s", "reads", true},
                     {"drop-outs", "drop_outs"},
                     {"back", "resumed"},
                     {"log-ins", "logged_in"},
                     {"skipped", "skipped"}};
  return script;
}

Script hostile() {
  Script script;
  script.steps = {{.name = "prepare"},
                  {.name = "before", .says = "honest traffic alone", .measured = true, .quiet_before = true},
                  {.name = "attack", .says = "honest traffic and the others", .measured = true},
                  {.name = "settle", .measured = true}};
  script.progress = {{"attempts/s", "attempts", true},
                     {"closed on them", "closed"},
                     {"refused them", "denied"},
                     {"answered them", "answered"},
                     {"honest messages/s", "live_during_delivered", true}};
  return script;
}

}  // namespace

Script script_of(const Plan& plan) {
  if (plan.scenario == "storm" || plan.scenario == "catchup") return storm(plan);
  if (plan.scenario == "idle") return idle();
  if (plan.scenario == "groups") return groups();
  if (plan.scenario == "mix") return mix();
  if (plan.scenario == "hostile") return hostile();
  HF_CHECK(false, "a scenario that options let through");
  return {};
}

}  // namespace holdfast::load
