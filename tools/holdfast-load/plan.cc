#include "tools/holdfast-load/plan.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace holdfast::load {
namespace {

namespace json = boost::json;

/// Every field with its name, for whoever writes or reads them all.
template <class P, class Visit>
void each_field(P& plan, Visit visit) {
  visit("scenario", plan.scenario);
  visit("run", plan.run);
  visit("servers", plan.servers);
  visit("ca_file", plan.ca_file);
  visit("fresh_tls", plan.fresh_tls);
  visit("sessions", plan.sessions);
  visit("seconds", plan.seconds);
  visit("rate", plan.rate);
  visit("body_bytes", plan.body_bytes);
  visit("behind", plan.behind);
  visit("over_s", plan.over_s);
  visit("log_ins", plan.log_ins);
  visit("fault", plan.fault);
  visit("back_max_s", plan.back_max_s);
  visit("live_pairs", plan.live_pairs);
  visit("mix_messages", plan.mix.messages);
  visit("mix_group_messages", plan.mix.group_messages);
  visit("mix_reads", plan.mix.reads);
  visit("mix_typing", plan.mix.typing);
  visit("mix_history", plan.mix.history);
  visit("mix_drop_outs", plan.mix.drop_outs);
  visit("mix_log_ins", plan.mix.log_ins);
  visit("groups", plan.groups);
  visit("group_members", plan.group_members);
  visit("away_min_s", plan.away_min_s);
  visit("away_max_s", plan.away_max_s);
  visit("kind", plan.kind);
  visit("connections", plan.connections);
}

}  // namespace

Result<Target> Plan::target(const std::string& operator_key_file) const {
  Target target;
  auto endpoints = client::parse_endpoints(servers);
  if (!endpoints) return endpoints.error();
  target.endpoints = std::move(*endpoints);
  target.trust.ca_file = ca_file;
  target.trust.insecure = ca_file.empty();
  target.operator_key_file = operator_key_file;
  return target;
}

bool Plan::speaks_tls() const {
  const auto endpoints = client::parse_endpoints(servers);
  return endpoints && std::any_of(endpoints->begin(), endpoints->end(), [](const auto& one) { return one.tls; });
}

std::string plan_to_json(const Plan& plan) {
  json::object all;
  each_field(plan, [&](const char* name, const auto& value) { all[name] = value; });
  return json::serialize(all);
}

Result<Plan> plan_from_json(std::string_view text) {
  try {
    const json::value all = json::parse(text);
    Plan plan;
    each_field(plan, [&]<class T>(const char* name, T& value) { value = json::value_to<T>(all.at(name)); });
    return plan;
  } catch (const std::exception& error) {
    return Error{Errc::corrupt, std::string("the conductor's plan can't be read (another version?): ") + error.what()};
  }
}

}  // namespace holdfast::load
