/// The grammar of state keys, all of it.
///
///   stored key   := partition:2 (big-endian) key
///   key          := family:1 rest          (rest as below; ids are 16 bytes, numbers 8 bytes big-endian)
///
///   name         name bytes                        state.Name          never removed
///   attempts     name bytes                        state.Attempts
///   account      user                              state.Account
///   session      user session                      state.Session
///   secrets      user                              state.Secrets
///   address      hash (16 bytes)                   state.Address
///   wave         id                                state.Wave
///   mailbox      user                              state.Mailbox
///   inbox        user position                     v1.InboxItem without its position
///   head         user conversation                 v1.InboxItem with its position
///   blocks       user                              state.Blocks
///   list         user conversation                 state.ListEntry
///   conversation conversation                      state.Conversation
///   member       conversation user                 state.MemberRow
///   change       conversation number               v1.Change
///   seen         conversation user                 state.Seen
///   client_id    conversation user request         state.ClientId
///   request      scope user request                v1.ServerFrame      scope: the user or conversation of the decision
///   source       partition:2 subscriber bytes      state.Source
///   cursor       subscriber bytes                  state.Cursor
///   due          time:8 kind:1 ids             (empty)             a durable timer; time in ms
///   intent       user intent                   state.Intent
///   mail_settings user                             state.MailSettings
///   missed       user                              state.Missed
///   reply        hash:16                           state.Reply
///   answered     user hash:16                      state.Answered
///   audit        number                            storage/audit_row.h  a line of the audit journal
///   audit_head   (nothing)                         state.AuditHead
///   audit_of     user number                       (empty)             line `number` concerns the user
///   incidents    (nothing)                         state.Incidents     partition 0
///   incident     (nothing)                         state.CurrentIncident
///   lost         user                              state.Lost
///   applied      (nothing)                         number: the applied sequence, written with each batch
///
/// Decoding accepts exactly what encoding makes of non-empty names and subscribers.
/// Keys of one user or conversation stand together, so that a range of them is one sequential read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace holdfast::keys {

enum class Family : std::uint8_t {
  applied = 0x01,
  name = 0x10,
  attempts = 0x11,
  account = 0x12,
  session = 0x13,
  secrets = 0x14,
  address = 0x15,
  wave = 0x16,
  mailbox = 0x20,
  inbox = 0x21,
  head = 0x22,
  blocks = 0x23,
  list = 0x24,
  conversation = 0x30,
  member = 0x31,
  change = 0x32,
  seen = 0x33,
  client_id = 0x40,
  request = 0x41,
  source = 0x50,
  cursor = 0x51,
  due = 0x60,
  intent = 0x61,
  // e-mail fallback
  mail_settings = 0x68,
  missed = 0x69,
  reply = 0x6a,
  answered = 0x6b,
  audit = 0x70,
  audit_head = 0x71,
  audit_of = 0x72,
  incidents = 0x73,
  incident = 0x74,
  lost = 0x75,
};

std::string name(std::string_view name);
std::string attempts(std::string_view name);
std::string account(const UserId& user);
std::string session(const UserId& user, const SessionId& session);
std::string secrets(const UserId& user);
/// `hash` has 16 bytes; the first two place it in a partition.
std::string address(std::string_view hash);
std::string wave(const IntentId& wave);
std::string mailbox(const UserId& user);
std::string inbox(const UserId& user, std::uint64_t position);
std::string head(const UserId& user, const ConversationId& conversation);
std::string blocks(const UserId& user);
std::string list(const UserId& user, const ConversationId& conversation);
std::string conversation(const ConversationId& conversation);
std::string member(const ConversationId& conversation, const UserId& user);
std::string change(const ConversationId& conversation, std::uint64_t number);
std::string seen(const ConversationId& conversation, const UserId& user);
std::string client_id(const ConversationId& conversation, const UserId& user, const RequestId& id);
/// `scope` is the 16 bytes of a user or of a conversation.
std::string request(std::string_view scope, const UserId& user, const RequestId& id);
std::string source(PartitionId partition, std::string_view subscriber);
std::string cursor(std::string_view subscriber);
/// `what` is a kind and the ids that it is about; not empty.
std::string due(std::uint64_t time_ms, std::string_view what);
std::string intent(const UserId& user, const IntentId& id);
std::string mail_settings(const UserId& user);
std::string missed(const UserId& user);
/// `hash`: 16 bytes, in both.
std::string reply(std::string_view hash);
std::string answered(const UserId& user, std::string_view hash);
std::string audit(std::uint64_t number);
std::string audit_head();
std::string audit_of(const UserId& user, std::uint64_t number);
std::string incidents();
std::string incident();
std::string lost(const UserId& user);
std::string applied();

/// All keys of a family that begin with `id` (a user or a conversation).
std::string prefix(Family family, std::string_view id = {});
/// The first key that does not begin with `prefix`; empty: there is none.
std::string after_prefix(std::string_view prefix);

/// What a key says. `first` and `second` are its ids (or `first` a name, a subscriber, or what is due), `third` the request's id.
struct Decoded {
  Family family;
  std::string_view first;
  std::string_view second;
  std::string_view third;
  std::uint64_t number = 0;  ///< inbox, change, audit, audit_of: the number; source: the partition; due: the time
};
/// Nothing if `key` is not of the grammar. The views point into `key`.
std::optional<Decoded> decode(std::string_view key);

/// Rows of these families are written once and in order; the others are overwritten again and again.
bool is_append_only(Family family);

// What stands before a key in the database.
inline constexpr std::size_t kPartitionBytes = 2;
std::string stored(PartitionId partition, std::string_view key);
/// As stored(), into a buffer of the caller's.
void append_stored(PartitionId partition, std::string_view key, std::string& out);
/// The first stored key that is not of `partition`.
std::string after_partition(PartitionId partition);
/// The end of a range of keys as it is stored; an empty `until` is the end of the partition.
std::string stored_until(PartitionId partition, std::string_view until);

struct Stored {
  PartitionId partition;
  std::string_view key;
};
std::optional<Stored> split(std::string_view stored_key);

/// How many bytes at the front of a stored key stay the same while rows are appended behind it (partition, family and
/// the ids before what grows); 0: keys like this come in no order, or this is not exactly a key of the grammar.
std::size_t growing_prefix_bytes(std::string_view stored_key);

}  // namespace holdfast::keys
