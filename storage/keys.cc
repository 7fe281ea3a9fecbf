#include "storage/keys.h"

#include <initializer_list>

#include "base/check.h"
#include "storage/big_endian.h"

namespace holdfast::keys {
namespace {

constexpr std::size_t kId = 16;
constexpr std::size_t kNumber = 8;

std::string make(Family family, std::initializer_list<std::string_view> parts, std::size_t room_behind = 0) {
  std::size_t bytes = 1 + room_behind;
  for (const std::string_view part : parts) bytes += part.size();
  std::string key;
  key.reserve(bytes);
  key.push_back(static_cast<char>(family));
  for (const std::string_view part : parts) key.append(part);
  return key;
}

std::string make_numbered(Family family, std::string_view id, std::uint64_t number) {
  std::string key = make(family, {id}, kNumber);
  append_u64(key, number);
  return key;
}

/// What follows the family: how many ids, then a number or free text.
struct Shape {
  std::uint8_t ids = 0;
  bool number = false;
  bool text = false;       ///< at least one byte, to the end
  bool partition = false;  ///< two bytes before the text
};

std::optional<Shape> shape_of(Family family) {
  switch (family) {
    case Family::applied: return Shape{};
    case Family::name: return Shape{.text = true};
    case Family::attempts: return Shape{.text = true};
    case Family::account: return Shape{.ids = 1};
    case Family::session: return Shape{.ids = 2};
    case Family::secrets: return Shape{.ids = 1};
    case Family::address: return Shape{.ids = 1};
    case Family::wave: return Shape{.ids = 1};
    case Family::mailbox: return Shape{.ids = 1};
    case Family::inbox: return Shape{.ids = 1, .number = true};
    case Family::head: return Shape{.ids = 2};
    case Family::blocks: return Shape{.ids = 1};
    case Family::list: return Shape{.ids = 2};
    case Family::conversation: return Shape{.ids = 1};
    case Family::member: return Shape{.ids = 2};
    case Family::change: return Shape{.ids = 1, .number = true};
    case Family::seen: return Shape{.ids = 2};
    case Family::client_id: return Shape{.ids = 3};
    case Family::request: return Shape{.ids = 3};
    case Family::source: return Shape{.text = true, .partition = true};
    case Family::cursor: return Shape{.text = true};
    case Family::due: return Shape{.number = true, .text = true};
    case Family::intent: return Shape{.ids = 2};
    case Family::mail_settings: return Shape{.ids = 1};
    case Family::missed: return Shape{.ids = 1};
    case Family::reply: return Shape{.ids = 1};
    case Family::answered: return Shape{.ids = 2};
    case Family::audit: return Shape{.number = true};
    case Family::audit_head: return Shape{};
    case Family::audit_of: return Shape{.ids = 1, .number = true};
    case Family::incidents: return Shape{};
    case Family::incident: return Shape{};
    case Family::lost: return Shape{.ids = 1};
  }
  return std::nullopt;
}

}  // namespace

std::string name(std::string_view name) { return make(Family::name, {name}); }
std::string attempts(std::string_view name) { return make(Family::attempts, {name}); }
std::string account(const UserId& user) { return make(Family::account, {user.bytes()}); }
std::string session(const UserId& user, const SessionId& session) {
  return make(Family::session, {user.bytes(), session.bytes()});
}
std::string secrets(const UserId& user) { return make(Family::secrets, {user.bytes()}); }
std::string address(std::string_view hash) {
  HF_CHECK(hash.size() == kId, "an address's hash has 16 bytes");
  return make(Family::address, {hash});
}
std::string wave(const IntentId& wave) { return make(Family::wave, {wave.bytes()}); }
std::string mailbox(const UserId& user) { return make(Family::mailbox, {user.bytes()}); }
std::string inbox(const UserId& user, std::uint64_t position) {
  return make_numbered(Family::inbox, user.bytes(), position);
}
std::string head(const UserId& user, const ConversationId& conversation) {
  return make(Family::head, {user.bytes(), conversation.bytes()});
}
std::string blocks(const UserId& user) { return make(Family::blocks, {user.bytes()}); }
std::string list(const UserId& user, const ConversationId& conversation) {
  return make(Family::list, {user.bytes(), conversation.bytes()});
}
std::string conversation(const ConversationId& conversation) {
  return make(Family::conversation, {conversation.bytes()});
}
std::string member(const ConversationId& conversation, const UserId& user) {
  return make(Family::member, {conversation.bytes(), user.bytes()});
}
std::string change(const ConversationId& conversation, std::uint64_t number) {
  return make_numbered(Family::change, conversation.bytes(), number);
}
std::string seen(const ConversationId& conversation, const UserId& user) {
  return make(Family::seen, {conversation.bytes(), user.bytes()});
}
std::string client_id(const ConversationId& conversation, const UserId& user, const RequestId& id) {
  return make(Family::client_id, {conversation.bytes(), user.bytes(), id.bytes()});
}
std::string request(std::string_view scope, const UserId& user, const RequestId& id) {
  HF_CHECK(scope.size() == kId, "a request's scope is an id");
  return make(Family::request, {scope, user.bytes(), id.bytes()});
}
std::string source(PartitionId partition, std::string_view subscriber) {
  std::string key = make(Family::source, {}, kPartitionBytes + subscriber.size());
  append_u16(key, partition.value);
  key.append(subscriber);
  return key;
}
std::string cursor(std::string_view subscriber) { return make(Family::cursor, {subscriber}); }
std::string due(std::uint64_t time_ms, std::string_view what) {
  HF_CHECK(!what.empty(), "a timer is about something");
  std::string key = make(Family::due, {}, kNumber + what.size());
  append_u64(key, time_ms);
  key.append(what);
  return key;
}
std::string intent(const UserId& user, const IntentId& id) { return make(Family::intent, {user.bytes(), id.bytes()}); }
std::string mail_settings(const UserId& user) { return make(Family::mail_settings, {user.bytes()}); }
std::string missed(const UserId& user) { return make(Family::missed, {user.bytes()}); }
std::string reply(std::string_view hash) {
  HF_CHECK(hash.size() == kId, "a hash in a key has the size of an id");
  return make(Family::reply, {hash});
}
std::string answered(const UserId& user, std::string_view hash) {
  HF_CHECK(hash.size() == kId, "a hash in a key has the size of an id");
  return make(Family::answered, {user.bytes(), hash});
}
std::string audit(std::uint64_t number) { return make_numbered(Family::audit, {}, number); }
std::string audit_head() { return make(Family::audit_head, {}); }
std::string audit_of(const UserId& user, std::uint64_t number) {
  return make_numbered(Family::audit_of, user.bytes(), number);
}
std::string incidents() { return make(Family::incidents, {}); }
std::string incident() { return make(Family::incident, {}); }
std::string lost(const UserId& user) { return make(Family::lost, {user.bytes()}); }
std::string applied() { return make(Family::applied, {}); }

std::string prefix(Family family, std::string_view id) { return make(family, {id}); }

std::string after_prefix(std::string_view prefix) {
  while (!prefix.empty() && static_cast<std::uint8_t>(prefix.back()) == 0xff) prefix.remove_suffix(1);
  std::string after(prefix);
  if (!after.empty()) after.back() = static_cast<char>(static_cast<std::uint8_t>(after.back()) + 1);
  return after;
}

std::optional<Decoded> decode(std::string_view key) {
  if (key.empty()) return std::nullopt;
  Decoded decoded{};
  decoded.family = static_cast<Family>(static_cast<std::uint8_t>(key.front()));
  const std::optional<Shape> shape = shape_of(decoded.family);
  if (!shape) return std::nullopt;
  key.remove_prefix(1);

  std::string_view* const ids[] = {&decoded.first, &decoded.second, &decoded.third};
  for (std::size_t i = 0; i < shape->ids; ++i) {
    if (key.size() < kId) return std::nullopt;
    *ids[i] = key.substr(0, kId);
    key.remove_prefix(kId);
  }
  if (shape->number || shape->partition) {
    const std::size_t bytes = shape->number ? kNumber : kPartitionBytes;
    if (key.size() < bytes) return std::nullopt;
    decoded.number = read_number(key.substr(0, bytes));
    key.remove_prefix(bytes);
  }
  if (shape->text) decoded.first = key;
  if (shape->text == key.empty()) return std::nullopt;
  return decoded;
}

bool is_append_only(Family family) {
  return family == Family::inbox || family == Family::change || family == Family::client_id ||
         family == Family::request || family == Family::audit || family == Family::audit_of;
}

void append_stored(PartitionId partition, std::string_view key, std::string& out) {
  append_u16(out, partition.value);
  out.append(key);
}

std::string stored(PartitionId partition, std::string_view key) {
  std::string out;
  out.reserve(kPartitionBytes + key.size());
  append_stored(partition, key, out);
  return out;
}

std::string after_partition(PartitionId partition) {
  HF_CHECK(partition.value < 0xffff, "no partition has the last number");
  return stored(partition.next(), {});
}

std::string stored_until(PartitionId partition, std::string_view until) {
  return until.empty() ? after_partition(partition) : stored(partition, until);
}

std::optional<Stored> split(std::string_view stored_key) {
  if (stored_key.size() < kPartitionBytes) return std::nullopt;
  const auto partition = static_cast<std::uint16_t>(read_number(stored_key.substr(0, kPartitionBytes)));
  return Stored{PartitionId(partition), stored_key.substr(kPartitionBytes)};
}

std::size_t growing_prefix_bytes(std::string_view stored_key) {
  if (stored_key.size() <= kPartitionBytes) return 0;
  const auto family = static_cast<Family>(static_cast<std::uint8_t>(stored_key[kPartitionBytes]));
  if (!is_append_only(family)) return 0;
  if (family == Family::audit)  // one sequence for the partition
    return stored_key.size() == kPartitionBytes + 1 + kNumber ? kPartitionBytes + 1 : 0;
  const bool by_request = family == Family::client_id || family == Family::request;  // in order for each user
  const std::size_t prefix = kPartitionBytes + 1 + (by_request ? 2 * kId : kId);
  return stored_key.size() == prefix + (by_request ? kId : kNumber) ? prefix : 0;
}

}  // namespace holdfast::keys
