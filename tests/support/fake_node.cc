#include "tests/support/fake_node.h"

#include "storage/keys.h"

namespace holdfast::services {

FakeNode::FakeNode(std::uint16_t partitions) : FakeBackend(partitions) {
  for (std::uint16_t i = 0; i < partitions; ++i) partition(PartitionId(i)).every_first_read_misses = false;
}

void FakeNode::ask(PartitionId id, command::Command command, std::function<void(command::Answer)> then) {
  later([this, id, command = std::move(command), then = std::move(then)] {
    command::Answer answer = partition(id).run(command);
    commit(id);
    then(std::move(answer));
  });
}

void FakeNode::commit(PartitionId id) {
  chat::RuleFixture& stage = partition(id);
  for (const chat::Effect& effect : stage.effects)
    if (const auto* intent = std::get_if<chat::BeginIntent>(&effect)) begin(*intent);
  if (stage.events.empty()) return;
  log::Entry entry;
  entry.set_seq(++seqs_[id.value]);
  for (const log::Write& write : stage.writes) *entry.add_writes() = write;
  for (const log::Event& event : stage.events) *entry.add_events() = event;
  for (std::uint32_t i = 0; static_cast<int>(i) < entry.events_size(); ++i) publish({id, partitions(), entry, i});
}

void FakeNode::publish(const bus::EventAt& at) {
  for (const auto& subscriber : services_.subscribers()) {
    chat::MapView view(partition(at.partition).rows, nullptr);
    bus::Outcome outcome;
    subscriber->on_event(at, view, outcome);
    for (auto& [target, command] : outcome.commands) {
      command::Source& source = *command.mutable_source();
      source.set_subscriber(std::string(subscriber->name()));
      source.set_partition(at.partition.value);
      source.set_seq(at.entry.seq());
      source.set_event(at.index);
      under_way_[next_sent_] = {target, std::move(command)};
      send(next_sent_++);
    }
  }
}

void FakeNode::send(std::uint64_t number) {
  const Sent& sent = under_way_.at(number);
  ask(sent.target, sent.command, [this, number](const command::Answer&) { under_way_.erase(number); });
}

void FakeNode::begin(const chat::BeginIntent& intent) {
  if (!outside) return;
  outside->begin(*this, intent, {}, [this, intent](command::IntentDone done) {
    command::Command command;
    command.set_user(intent.user.str());
    *command.mutable_intent_done() = std::move(done);
    command.mutable_intent_done()->set_intent(intent.id.str());
    ask(partition_of(intent.user, partitions()), std::move(command), [](const command::Answer&) {});
  });
}

bool FakeNode::hand_out_due() {
  bool found = false;
  for (std::uint16_t i = 0; i < partitions(); ++i) {
    const chat::RowMap& rows = partition(PartitionId(i)).rows;
    const auto is_gone = [&](const std::string& key) {
      return static_cast<std::uint8_t>(key[0]) == i && !rows.contains(key.substr(1));
    };
    std::erase_if(running_, is_gone);
    const std::string until = keys::due(static_cast<std::uint64_t>(to_ms(now())) + 1, std::string(1, '\0'));
    for (auto at = rows.lower_bound(keys::prefix(keys::Family::due)); at != rows.end() && at->first < until; ++at) {
      if (!running_.insert(std::string(1, static_cast<char>(i)) + at->first).second) continue;
      command::Command command;
      command.mutable_run_due()->set_key(at->first);
      ask(PartitionId(i), std::move(command), [](const command::Answer&) {});
      found = true;
    }
  }
  return found;
}

void FakeNode::run_timers() {
  while (hand_out_due()) settle();
}

void FakeNode::pass(std::chrono::milliseconds by, std::chrono::milliseconds step) {
  for (run_timers(); by.count() > 0; by -= step) {
    advance(std::min(by, step));
    run_timers();
  }
}

void FakeNode::crash(std::size_t steps) {
  hand_out_due();
  settle(steps);
  running_.clear();
  for (const auto& [number, sent] : under_way_) send(number);
}

std::vector<log::Event> FakeNode::events() const {
  std::vector<log::Event> all;
  for (std::uint16_t i = 0; i < partitions(); ++i) {
    const auto& some = const_cast<FakeNode*>(this)->partition(PartitionId(i)).all_events;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace holdfast::services
