/// PartitionBench with users and conversations to act on.
#pragma once

#include <algorithm>

#include "base/uuid.h"
#include "proto/state.pb.h"
#include "server/chat/conversation_id.h"
#include "storage/keys.h"
#include "tests/support/partition_bench.h"
#include "tests/support/requests.h"

namespace holdfast {

inline const UserId kAlice({1}), kBob({2}), kCarol({3});
inline const SessionId kPhone({11}), kLaptop({12});

struct ChatBench : PartitionBench {
  using PartitionBench::PartitionBench;
  SeededRandom random{1};

  std::string fresh_id() { return make_uuid7(now, random).str(); }
  v1::ClientFrame with_id(v1::ClientFrame frame) {
    if (frame.has_post())
      frame.mutable_post()->set_client_message_id(fresh_id());
    else
      frame.set_idempotency_id(fresh_id());
    return frame;
  }
  /// Under a fresh id.
  std::size_t ask(const UserId& user, v1::ClientFrame frame, const SessionId& session = kPhone) {
    return request(user, with_id(std::move(frame)), session);
  }
  /// A direct conversation in the state, in nobody's memory.
  std::string direct(const UserId& a, const UserId& b) {
    state::Conversation row;
    row.set_kind(v1::DIRECT);
    row.add_peers()->set_user(std::min(a, b).str());
    row.add_peers()->set_user(std::max(a, b).str());
    const ConversationId id = chat::direct_conversation(a, b);
    store(keys::conversation(id), row);
    return id.str();
  }
  /// An account in the state, with these sessions.
  void user(const UserId& id, const std::vector<SessionId>& sessions, std::uint64_t head = 0) {
    state::Account account;
    account.set_username("user" + std::to_string(id.bytes()[0]));
    state::Mailbox mailbox;
    mailbox.set_head(head);
    for (const SessionId& session : sessions) {
      account.add_sessions(session.str());
      mailbox.add_cursors()->set_session(session.str());
      state::Session row;
      row.set_last_seen_ms(to_ms(now));
      store(keys::session(id, session), row);
    }
    store(keys::account(id), account);
    store(keys::mailbox(id), mailbox);
  }
};

/// What delivery of partition 7 sends: a reference for the inboxes of these users.
inline command::Command deliver(const std::string& where, std::uint64_t number, const std::vector<UserId>& users,
                                std::uint64_t seq) {
  command::Command command;
  auto& what = *command.mutable_deliver();
  what.set_conversation(where);
  what.set_kind(v1::GROUP);
  what.set_number(number);
  what.set_reference(true);
  for (const UserId& user : users) what.add_users(user.str());
  command.mutable_source()->set_subscriber("delivery");
  command.mutable_source()->set_partition(7);
  command.mutable_source()->set_seq(seq);
  return command;
}

}  // namespace holdfast
