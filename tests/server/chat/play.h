/// Users who talk, in one partition: rules and delivery together, each event delivered at once as the bus does it.
#pragma once

#include <deque>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "proto/state.pb.h"
#include "server/services/delivery.h"
#include "tests/support/rule_fixture.h"

namespace holdfast::chat {

struct Person {
  UserId id;
  SessionId session;
};

class Play {
 public:
  RuleFixture stage;
  /// Off: events are not delivered, for tests of what a rule alone does.
  bool delivers = true;
  /// Each subscriber's command is sent twice: the second must change nothing.
  bool repeats = true;

  Person person();
  std::vector<Person> people(std::size_t count);

  /// The answer; what follows from it is delivered before it returns.
  v1::ServerFrame ask(const Person& who, v1::ClientFrame frame);
  command::Answer run(const command::Command& command);

  /// `fill` says what is asked; the idempotency id is a fresh one unless it was set.
  v1::ServerFrame ask(const Person& who, const std::function<void(v1::ClientFrame&)>& fill);

  ConversationId open(const Person& who, const Person& other);
  ConversationId group(const Person& owner, const std::vector<Person>& members, const std::string& title = "group");
  /// The number of the post. CHECKs that it went well.
  std::uint64_t say(const Person& who, const ConversationId& where, const std::string& body);
  v1::ServerFrame post(const Person& who, const ConversationId& where, const std::string& body, const RequestId& id);
  v1::ServerFrame edit(const Person& who, const ConversationId& where, std::uint64_t number, const std::string& body);
  v1::ServerFrame erase(const Person& who, const ConversationId& where, std::uint64_t number);
  v1::ServerFrame react(const Person& who, const ConversationId& where, std::uint64_t number, const std::string& with,
                        bool remove = false);
  v1::ServerFrame add(const Person& who, const ConversationId& where, const std::vector<Person>& members);
  v1::ServerFrame remove(const Person& who, const ConversationId& where, const Person& whom);
  v1::ServerFrame leave(const Person& who, const ConversationId& where);
  v1::ServerFrame set_role(const Person& who, const ConversationId& where, const Person& whom, v1::Role role);
  v1::ServerFrame mark(const Person& who, const ConversationId& where, std::uint64_t delivered, std::uint64_t read);
  v1::ServerFrame block(const Person& who, const Person& whom, bool blocked = true);
  v1::ServerFrame ack(const Person& who, std::uint64_t position);

  /// GetHistory as the flow asks for it: with what the caller's list hides.
  v1::ServerFrame history(const Person& who, const ConversationId& where, std::uint64_t from = 0, bool backward = false,
                          std::uint32_t limit = 500);
  std::vector<v1::Change> all_history(const Person& who, const ConversationId& where);
  v1::ConversationsReply conversations(const Person& who, std::uint32_t limit = 200, const std::string& token = {});
  /// The one line of that conversation; an empty one if it is not shown.
  v1::ConversationSummary line(const Person& who, const ConversationId& where);

  std::vector<v1::InboxItem> inbox(const Person& who) const;
  state::Conversation row(const ConversationId& where) const;
  v1::Change change(const ConversationId& where, std::uint64_t number) const;
  /// CHECKs what must always be so of a conversation: numbers without gaps, posts counted, members counted.
  void check_sequence(const ConversationId& where) const;

 private:
  void commit();
  void deliver(const log::Entry& entry);

  services::Delivery delivery_{stage.limits};
  std::uint64_t seq_ = 0;
  std::deque<log::Entry> log_;  ///< not delivered yet
};

/// What it is, in a word, for reading pages and inboxes in tests.
std::string word_of(const v1::Change& change);
std::vector<std::string> words_of(const std::vector<v1::InboxItem>& items);
std::vector<std::uint64_t> numbers_of(const v1::ServerFrame& history);

}  // namespace holdfast::chat
