/// One Partition with everything around it done by hand: the test says when an entry is durable, when the state has it,
/// and when rows come.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/copy.h"

namespace holdfast {

class PartitionBench {
 public:
  explicit PartitionBench(PartitionOptions options = {}, chat::Limits limits = {},
                          std::vector<SubscriberAt> subscribers = {}, failover::Recovered recovered = {});

  /// Leads epoch 1 and opens it.
  void open();

  /// Returns the place of its answer.
  std::size_t submit(command::Command command);
  std::size_t request(const UserId& user, v1::ClientFrame frame, const SessionId& session = {});
  const command::Answer* answer(std::size_t place) const { return answers_[place] ? &*answers_[place] : nullptr; }
  v1::ServerFrame frame(std::size_t place) const;
  v1::ErrorCode error(std::size_t place) const { return frame(place).error().code(); }

  /// Takes what is ready, once. What it asks for is kept below.
  void turn();
  /// The entry in flight is durable; then a turn.
  void durable();
  /// The state takes what is committed; the partition hears of it.
  void apply();
  /// Brings the rows that were asked for, oldest first; then a turn.
  void load_rows(std::size_t count = SIZE_MAX);
  void load_ranges();
  /// Everything, again and again until nothing is open. Commands to partitions are not answered.
  void run();

  template <class RowMessage>
  std::optional<RowMessage> stored(const std::string& key) const {
    const auto at = state.find(key);
    if (at == state.end()) return std::nullopt;
    RowMessage row;
    HF_CHECK(row.ParseFromString(at->second), "a stored row parses");
    return row;
  }
  template <class RowMessage>
  void store(const std::string& key, const RowMessage& row) {
    state[key] = row.SerializeAsString();
  }

  std::map<std::string, std::string> state;  ///< as in the state database
  std::unique_ptr<Copy> copy;
  Partition& serving() { return *copy->serving(); }
  WallTime now = from_ms(1'700'000'000'000);
  SteadyTime steady{};

  // What it asked for and has not got.
  std::optional<LogWrite> in_flight;
  std::deque<std::shared_ptr<const log::Entry>> committed;  ///< not in the state yet
  std::deque<std::string> rows_wanted;
  std::deque<Partition::RangeWanted> ranges_wanted;
  std::deque<Partition::LogWanted> log_wanted;
  // What it said.
  std::vector<std::shared_ptr<const log::Entry>> entries;  ///< all that were committed
  std::vector<Partition::ToSend> commands;
  std::vector<chat::Delivery> deliveries;
  std::vector<chat::TellUsers> tells;

 private:
  chat::Limits limits_;
  std::vector<std::optional<command::Answer>> answers_;
};

}  // namespace holdfast
