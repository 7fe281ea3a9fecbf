#include "tools/holdfast-load/profile.h"

#include <spdlog/fmt/fmt.h>

#include <toml++/toml.h>

#include <algorithm>

namespace holdfast::load {
namespace {

/// What one table may hold; whatever is taken from it is known, the rest is a mistake.
class Table {
 public:
  Table(const toml::table* table, std::string file, std::string prefix)
      : table_(table), file_(std::move(file)), prefix_(std::move(prefix)) {}

  void number(const char* key, double& value, double least, double most) {
    known_.emplace_back(key);
    const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
    if (node == nullptr || failed_) return;
    const auto given = node->value<double>();
    if (!given || *given < least || *given > most)
      return fail(*node, key, fmt::format("is to be a number from {:g} to {:g}", least, most));
    value = *given;
  }
  void whole(const char* key, std::uint64_t& value, std::uint64_t least, std::uint64_t most) {
    known_.emplace_back(key);
    const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
    if (node == nullptr || failed_) return;
    const auto given = node->value_exact<std::int64_t>();
    if (!given || *given < static_cast<std::int64_t>(least) || *given > static_cast<std::int64_t>(most))
      return fail(*node, key, fmt::format("is to be a whole number from {} to {}", least, most));
    value = static_cast<std::uint64_t>(*given);
  }
  const toml::table* table(const char* key) {
    known_.emplace_back(key);
    const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
    if (node != nullptr && !node->is_table()) fail(*node, key, "is to be a table");
    return node == nullptr ? nullptr : node->as_table();
  }
  Status status() {
    if (table_ != nullptr && !failed_)
      for (const auto& [key, node] : *table_)
        if (std::find(known_.begin(), known_.end(), key.str()) == known_.end())
          fail(node, std::string(key.str()), "is not known; known are " + fmt::format("{}", fmt::join(known_, ", ")));
    if (failed_) return *failed_;
    return Ok{};
  }

 private:
  void fail(const toml::node& node, const std::string& key, const std::string& why) {
    if (failed_) return;
    failed_ = Error{Errc::invalid_argument,
                    fmt::format("{}:{}: {}{} {}", file_, node.source().begin.line, prefix_, key, why)};
  }

  const toml::table* table_;
  const std::string file_, prefix_;
  std::vector<std::string> known_;
  std::optional<Error> failed_;
};

constexpr double kRateMax = 1e6;

Status read_rates(Table table, MixRates& rates) {
  table.number("messages", rates.messages, 0, kRateMax);
  table.number("group_messages", rates.group_messages, 0, kRateMax);
  table.number("reads", rates.reads, 0, kRateMax);
  table.number("typing", rates.typing, 0, kRateMax);
  table.number("history", rates.history, 0, kRateMax);
  table.number("drop_outs", rates.drop_outs, 0, kRateMax);
  table.number("log_ins", rates.log_ins, 0, kRateMax);
  return table.status();
}

Status check_together(const std::string& name, const Plan& plan) {
  const auto wrong = [&](const std::string& why) { return Error{Errc::invalid_argument, name + ": " + why}; };
  if (plan.mix.group_messages > 0 && plan.groups == 0)
    return wrong("rates.group_messages needs groups: give groups.count and groups.members");
  if (plan.groups > 0 && plan.group_members > plan.sessions)
    return wrong(
        fmt::format("groups.members is {}, but there are only {} sessions", plan.group_members, plan.sessions));
  if (plan.away_min_s > plan.away_max_s) return wrong("drop_outs.away_min_s is more than drop_outs.away_max_s");
  const MixRates& r = plan.mix;
  if (r.messages + r.group_messages + r.reads + r.typing + r.history + r.drop_outs + r.log_ins <= 0)
    return wrong("nothing is to happen: give at least one of rates");
  return Ok{};
}

}  // namespace

Status read_profile(std::string_view text, const std::string& name, Plan& plan) {
  toml::table file;
  try {
    file = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error{Errc::invalid_argument,
                 fmt::format("{}:{}: {}", name, error.source().begin.line, error.description())};
  }
  Table top(&file, name, "");
  plan.sessions = 1'000;
  top.whole("sessions", plan.sessions, 2, 1'000'000);
  top.whole("body_bytes", plan.body_bytes, 32, 65'536);
  Table rates(top.table("rates"), name, "rates.");
  const toml::table* groups_table = top.table("groups");
  Table groups(groups_table, name, "groups.");
  Table drop_outs(top.table("drop_outs"), name, "drop_outs.");
  if (auto status = top.status(); !status) return status;

  if (auto status = read_rates(rates, plan.mix); !status) return status;
  plan.groups = plan.group_members = 0;
  if (groups_table != nullptr) plan.groups = 10, plan.group_members = 20;
  groups.whole("count", plan.groups, 1, 100'000);
  groups.whole("members", plan.group_members, 3, 100);
  if (auto status = groups.status(); !status) return status;
  drop_outs.number("away_min_s", plan.away_min_s, 0, 86'400);
  drop_outs.number("away_max_s", plan.away_max_s, 0, 86'400);
  if (auto status = drop_outs.status(); !status) return status;
  return check_together(name, plan);
}

}  // namespace holdfast::load
