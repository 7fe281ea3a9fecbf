/// A partition in a map, for tests of rules: runs a command's rule, applies what it wrote, keeps what it said.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

using RowMap = std::map<std::string, std::string>;

/// Sees all rows; with `loads`, the first look at each row and range is "missing", as it is when nothing is in memory.
class MapView final : public View {
 public:
  MapView(const RowMap& rows, std::set<std::string>* loaded) : rows_(rows), loaded_(loaded) {}

  const std::string* row(std::string_view key) override;
  const std::vector<Row>* range(const Range& range) override;
  const std::vector<Row>* exact_range(const Range& range) override { return this->range(range); }
  bool missing() const override { return missing_; }

 private:
  bool load(std::string what);

  const RowMap& rows_;
  std::set<std::string>* loaded_;
  std::vector<std::unique_ptr<std::vector<Row>>> ranges_;
  bool missing_ = false;
};

/// One partition. Time stands still unless the test moves `now`.
class RuleFixture {
 public:
  explicit RuleFixture(std::uint16_t partitions = 1, PartitionId partition = PartitionId(0))
      : partitions_(partitions), partition_(partition) {}

  Limits limits;
  std::uint64_t first_position = 1;
  WallTime now = from_ms(1'700'000'000'000);
  RowMap rows;
  /// Every rule is first run on an empty memory, again and again until it has all it asks for: proves that rules name
  /// what they read and decide alike. On unless a test says otherwise.
  bool every_first_read_misses = true;

  /// Of the last command.
  std::vector<log::Write> writes;
  std::vector<log::Event> events;
  std::vector<Effect> effects;
  /// Of all commands.
  std::vector<log::Event> all_events;
  std::vector<Effect> all_effects;

  /// Decides and applies. CHECKs that a read-only command, and a refused one, writes nothing.
  command::Answer run(const command::Command& command);
  /// A client's request.
  v1::ServerFrame request(const UserId& user, const SessionId& session, v1::ClientFrame frame);
  v1::ServerFrame request(const UserId& user, v1::ClientFrame frame) { return request(user, SessionId(), frame); }

  /// A UUIDv7 of this moment, never the same twice.
  RequestId fresh_id() { return make_uuid7(now, random_); }
  UserId fresh_user() { return random_user_in(partition_, partitions_, random_); }
  template <class IdType>
  IdType fresh() {
    return random_.id<IdType>();
  }
  SeededRandom& random() { return random_; }

  template <class RowMessage>
  std::optional<RowMessage> stored(const std::string& key) const {
    const auto found = rows.find(key);
    if (found == rows.end()) return std::nullopt;
    RowMessage message;
    HF_CHECK(message.ParseFromString(found->second), "a stored row parses");
    return message;
  }

 private:
  void apply(const Draft& draft);

  std::uint16_t partitions_;
  PartitionId partition_;
  SeededRandom random_{1};
};

v1::ErrorCode code_of(const command::Answer& answer);
v1::ErrorCode code_of(const v1::ServerFrame& frame);

}  // namespace holdfast::chat
