/// What a rule sees and what it says: rows in, a draft out.
///
/// A rule is a pure function of the rows it asks for, the command and the context. If a row that it asks for is not in
/// memory, the view notes it as missing, gives nothing, and the rule's whole outcome is thrown away; the row is loaded
/// and the rule runs again. So a rule can't forget to name what it reads, and treats "not there" one way only.
/// Rows are those of committed entries plus the writes of the entry under construction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "proto/client.pb.h"
#include "proto/command.pb.h"
#include "proto/log.pb.h"
#include "proto/state.pb.h"
#include "storage/database.h"

namespace holdfast::chat {

class View {
 public:
  virtual ~View() = default;

  /// The row's bytes; null if there is no such row, or if it is missing() for now. Good until the rule returns.
  virtual const std::string* row(std::string_view key) = 0;
  /// Rows of the state at some moment not before the command arrived. For answers, not for decisions.
  /// Keys are without their partition. Null: missing() for now.
  virtual const std::vector<Row>* range(const Range& range) = 0;
  /// Rows of the state as it is now: nothing else is decided while they are read. Rare: it stops the partition.
  virtual const std::vector<Row>* exact_range(const Range& range) = 0;
  /// True if something asked for was not in memory: whatever the rule says now will not count.
  virtual bool missing() const = 0;

  /// The parsed row; nothing if there is none.
  template <class RowMessage>
  std::optional<RowMessage> get(std::string_view key) {
    const std::string* bytes = row(key);
    if (!bytes) return std::nullopt;
    std::optional<RowMessage> message(std::in_place);
    HF_CHECK(message->ParseFromString(*bytes), "a stored row parses");
    return message;
  }
};

/// What the connected hear of once the entry is committed. Soft: a crash loses them, a resume makes up for it.
struct InboxAdded {
  UserId user;
  std::uint64_t position;
  std::string item;  ///< a serialized v1.InboxItem without its position
};
struct SessionGone {
  UserId user;
  SessionId session;
  v1::ErrorCode code;
  std::string reason;
};
/// To the connected devices of users of this partition.
struct TellUsers {
  std::vector<UserId> users;
  v1::ServerFrame frame;
};
/// To the connected members of a conversation of this partition of up to 100 members, except one.
struct TellMembers {
  ConversationId conversation;
  UserId except;
  v1::ServerFrame frame;
};
/// To every connection of the partition's users.
struct TellAll {
  v1::ServerFrame frame;
};
/// A service's: something is to be done outside now. Durable by its row; this only begins it.
struct BeginIntent {
  UserId user;
  IntentId id;
  state::Intent intent;
};
/// The account's standing changed: its connections are held, let go or closed.
using Effect = std::variant<InboxAdded, SessionGone, TellUsers, TellMembers, TellAll, BeginIntent>;

/// What one command writes, what happened, and the answer. Counts only if the rule did not miss a row; a refusal drops
/// writes, events and effects.
class Draft {
 public:
  /// Returns the index of the write within this draft (for log.ChangeMade.write_index).
  std::uint32_t put(std::string key, std::string value);
  std::uint32_t put(std::string key, const google::protobuf::MessageLite& row) {
    return put(std::move(key), row.SerializeAsString());
  }
  void remove(std::string key);
  void remove_range(std::string from, std::string until);
  log::Event& emit() { return events.emplace_back(); }
  void effect(Effect effect) { effects.push_back(std::move(effect)); }

  /// The answer that the client gets; without one of these it is Done.
  command::Answer& answer() { return answer_; }
  v1::ServerFrame& frame() { return *answer_.mutable_frame(); }
  /// Takes back everything said so far.
  void refuse(v1::ErrorCode code, std::string message, std::chrono::milliseconds retry_after = {});
  bool refused() const { return answer_.frame().has_error(); }

  std::vector<log::Write> writes;
  std::vector<log::Event> events;
  std::vector<Effect> effects;

 private:
  command::Answer answer_;
};

}  // namespace holdfast::chat
