#include "tests/support/partition_bench.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast {

namespace {
const failover::Member kSelf{NodeId(1), StoreId()};
}

PartitionBench::PartitionBench(PartitionOptions options, chat::Limits limits, std::vector<SubscriberAt> subscribers,
                               failover::Recovered recovered)
    : limits_(limits) {
  options.partitions = 1;
  copy = std::make_unique<Copy>(options, limits_, kSelf, Copy::Found{recovered, std::move(subscribers)});
  failover::PartitionRow row;
  row.revision = 1;
  row.config.set_epoch(recovered.last_epoch.value + 1);
  row.config.set_min_isr(1);
  row.config.mutable_primary()->set_node(kSelf.node.value);
  row.config.mutable_primary()->set_store_id(kSelf.store.str());
  *row.config.add_in_sync() = row.config.primary();
  copy->replica().configured(row);
}

void PartitionBench::open() {
  turn();
  durable();  // the promise
  durable();  // the epoch's start
  apply();
}

std::size_t PartitionBench::submit(command::Command command) {
  const std::size_t place = answers_.size();
  answers_.emplace_back();
  copy->submit(std::move(command), [this, place](command::Answer answer) {
    HF_CHECK(!answers_[place], "a command is answered once");
    answers_[place] = std::move(answer);
  });
  return place;
}

std::size_t PartitionBench::request(const UserId& user, v1::ClientFrame frame, const SessionId& session) {
  command::Command command;
  command.set_user(user.str());
  command.set_session(session.str());
  *command.mutable_request() = std::move(frame);
  return submit(std::move(command));
}

v1::ServerFrame PartitionBench::frame(std::size_t place) const {
  HF_CHECK(answers_[place], "it was answered");
  return answers_[place]->frame();
}

void PartitionBench::turn() {
  Copy::Ready done = copy->take_ready(now);
  for (LogWrite& write : done.writes) {
    HF_CHECK(!in_flight, "W1: one entry is in flight");
    in_flight = std::move(write);
  }
  for (auto& applied : done.apply) {
    entries.push_back(applied.entry);
    committed.push_back(std::move(applied.entry));
  }
  Partition::Ready& ready = done.serving;
  for (auto& key : ready.rows) rows_wanted.push_back(std::move(key));
  for (auto& range : ready.ranges) ranges_wanted.push_back(std::move(range));
  for (auto& wanted : ready.log) log_wanted.push_back(wanted);
  for (auto& command : ready.commands) commands.push_back(std::move(command));
  for (auto& delivery : ready.deliveries) deliveries.push_back(std::move(delivery));
  for (auto& tell : ready.tells) tells.push_back(std::move(tell));
  for (auto& [then, answer] : ready.answers) then(std::move(answer));
}

void PartitionBench::durable() {
  HF_CHECK(in_flight, "something is in flight");
  copy->replica().durable(std::exchange(in_flight, std::nullopt)->ticket);
  turn();
}

void PartitionBench::apply() {
  for (const auto& entry : std::exchange(committed, {})) {
    for (const log::Write& write : entry->writes()) {
      if (write.has_put()) state[write.key()] = write.put();
      if (write.has_remove()) state.erase(write.key());
      if (write.has_remove_until())
        state.erase(state.lower_bound(write.key()), state.lower_bound(write.remove_until()));
    }
    copy->applied(Seq(entry->seq()));
  }
}

void PartitionBench::load_rows(std::size_t count) {
  for (; count > 0 && !rows_wanted.empty(); --count) {
    const std::string key = rows_wanted.front();
    rows_wanted.pop_front();
    const auto at = state.find(key);
    serving().row_loaded(key, at == state.end() ? std::nullopt : std::optional<std::string_view>(at->second));
  }
  turn();
}

void PartitionBench::load_ranges() {
  apply();
  for (const auto& wanted : std::exchange(ranges_wanted, {})) {
    std::vector<Row> rows;
    const auto end = wanted.range.until.empty() ? state.end() : state.lower_bound(wanted.range.until);
    for (auto at = state.lower_bound(wanted.range.from); at != end; ++at) rows.push_back({at->first, at->second});
    if (wanted.range.backward) std::ranges::reverse(rows);
    if (rows.size() > wanted.range.limit) rows.resize(wanted.range.limit);
    serving().range_loaded(wanted.ticket, std::move(rows));
  }
  turn();
}

void PartitionBench::run() {
  turn();
  for (int rounds = 0; in_flight || !rows_wanted.empty() || !ranges_wanted.empty(); ++rounds) {
    HF_CHECK(rounds < 10'000, "it comes to an end");
    if (in_flight) durable();
    apply();
    if (!rows_wanted.empty()) load_rows();
    if (!ranges_wanted.empty()) load_ranges();
  }
}

}  // namespace holdfast
