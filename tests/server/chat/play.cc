#include "tests/server/chat/play.h"

#include "storage/keys.h"

namespace holdfast::chat {

Person Play::person() {
  const Person person{stage.fresh_user(), stage.fresh<SessionId>()};
  state::Mailbox mailbox;
  mailbox.add_cursors()->set_session(person.session.str());
  stage.rows[keys::mailbox(person.id)] = mailbox.SerializeAsString();
  return person;
}

std::vector<Person> Play::people(std::size_t count) {
  std::vector<Person> people;
  for (std::size_t i = 0; i < count; ++i) people.push_back(person());
  return people;
}

command::Answer Play::run(const command::Command& command) {
  command::Answer answer = stage.run(command);
  commit();
  const auto writes = stage.writes;
  const auto events = stage.events;
  const auto effects = stage.effects;
  while (delivers && !log_.empty()) {
    const log::Entry entry = log_.front();
    log_.pop_front();
    deliver(entry);
  }
  stage.writes = writes;
  stage.events = events;
  stage.effects = effects;
  return answer;
}

void Play::commit() {
  if (stage.events.empty()) return;
  log::Entry& entry = log_.emplace_back();
  entry.set_seq(++seq_);
  for (const auto& write : stage.writes) *entry.add_writes() = write;
  for (const auto& event : stage.events) *entry.add_events() = event;
}

void Play::deliver(const log::Entry& entry) {
  for (std::uint32_t index = 0; static_cast<int>(index) < entry.events_size(); ++index) {
    MapView view(stage.rows, nullptr);
    bus::Outcome outcome;
    delivery_.on_event({PartitionId(0), 1, entry, index}, view, outcome);
    for (auto& [partition, command] : outcome.commands) {
      command::Source& source = *command.mutable_source();
      source.set_subscriber("delivery");
      source.set_seq(entry.seq());
      source.set_event(index);
      stage.run(command);
      commit();
      if (!repeats) continue;
      stage.run(command);
      HF_CHECK(stage.writes.empty() && stage.events.empty(), "a repeated command of a subscriber changes nothing");
    }
  }
}

v1::ServerFrame Play::ask(const Person& who, v1::ClientFrame frame) {
  command::Command command;
  command.set_user(who.id.str());
  command.set_session(who.session.str());
  *command.mutable_request() = std::move(frame);
  return run(command).frame();
}

v1::ServerFrame Play::ask(const Person& who, const std::function<void(v1::ClientFrame&)>& fill) {
  v1::ClientFrame frame;
  frame.set_idempotency_id(stage.fresh_id().str());
  fill(frame);
  return ask(who, std::move(frame));
}

ConversationId Play::open(const Person& who, const Person& other) {
  const auto answer = ask(who, [&](auto& f) { f.mutable_open_direct()->set_user_id(other.id.str()); });
  return ConversationId::from_bytes(answer.conversation().conversation_id()).value();
}

ConversationId Play::group(const Person& owner, const std::vector<Person>& members, const std::string& title) {
  const auto answer = ask(owner, [&](auto& f) {
    f.mutable_create_group()->set_title(title);
    for (const Person& member : members) f.mutable_create_group()->add_members(member.id.str());
  });
  return ConversationId::from_bytes(answer.conversation().conversation_id()).value();
}

std::uint64_t Play::say(const Person& who, const ConversationId& where, const std::string& body) {
  const auto answer = post(who, where, body, stage.fresh_id());
  HF_CHECK(answer.has_change(), answer.error().message().c_str());
  return answer.change().number();
}

v1::ServerFrame Play::post(const Person& who, const ConversationId& where, const std::string& body,
                           const RequestId& id) {
  return ask(who, [&](auto& f) {
    f.clear_idempotency_id();
    f.mutable_post()->set_conversation_id(where.str());
    f.mutable_post()->set_client_message_id(id.str());
    f.mutable_post()->set_body(body);
  });
}

v1::ServerFrame Play::edit(const Person& who, const ConversationId& where, std::uint64_t number,
                           const std::string& body) {
  return ask(who, [&](auto& f) {
    f.mutable_edit()->set_conversation_id(where.str());
    f.mutable_edit()->set_number(number);
    f.mutable_edit()->set_body(body);
  });
}

v1::ServerFrame Play::erase(const Person& who, const ConversationId& where, std::uint64_t number) {
  return ask(who, [&](auto& f) {
    f.mutable_delete_()->set_conversation_id(where.str());
    f.mutable_delete_()->set_number(number);
  });
}

v1::ServerFrame Play::react(const Person& who, const ConversationId& where, std::uint64_t number,
                            const std::string& with, bool remove) {
  return ask(who, [&](auto& f) {
    f.mutable_react()->set_conversation_id(where.str());
    f.mutable_react()->set_number(number);
    f.mutable_react()->set_reaction(with);
    f.mutable_react()->set_remove(remove);
  });
}

v1::ServerFrame Play::add(const Person& who, const ConversationId& where, const std::vector<Person>& members) {
  return ask(who, [&](auto& f) {
    f.mutable_add_members()->set_conversation_id(where.str());
    for (const Person& member : members) f.mutable_add_members()->add_members(member.id.str());
  });
}

v1::ServerFrame Play::remove(const Person& who, const ConversationId& where, const Person& whom) {
  return ask(who, [&](auto& f) {
    f.mutable_remove_member()->set_conversation_id(where.str());
    f.mutable_remove_member()->set_user_id(whom.id.str());
  });
}

v1::ServerFrame Play::leave(const Person& who, const ConversationId& where) {
  return ask(who, [&](auto& f) { f.mutable_leave()->set_conversation_id(where.str()); });
}

v1::ServerFrame Play::set_role(const Person& who, const ConversationId& where, const Person& whom, v1::Role role) {
  return ask(who, [&](auto& f) {
    f.mutable_set_role()->set_conversation_id(where.str());
    f.mutable_set_role()->set_user_id(whom.id.str());
    f.mutable_set_role()->set_role(role);
  });
}

v1::ServerFrame Play::mark(const Person& who, const ConversationId& where, std::uint64_t delivered,
                           std::uint64_t read) {
  return ask(who, [&](auto& f) {
    f.mutable_mark()->set_conversation_id(where.str());
    f.mutable_mark()->set_delivered(delivered);
    f.mutable_mark()->set_read(read);
  });
}

v1::ServerFrame Play::block(const Person& who, const Person& whom, bool blocked) {
  return ask(who, [&](auto& f) {
    f.mutable_block_user()->set_user_id(whom.id.str());
    f.mutable_block_user()->set_blocked(blocked);
  });
}

v1::ServerFrame Play::ack(const Person& who, std::uint64_t position) {
  return ask(who, [&](auto& f) { f.mutable_ack_inbox()->set_position(position); });
}

v1::ServerFrame Play::history(const Person& who, const ConversationId& where, std::uint64_t from, bool backward,
                              std::uint32_t limit) {
  command::Command show;
  show.set_user(who.id.str());
  show.mutable_show_list()->set_conversation(where.str());
  command::Command ask;
  ask.set_user(who.id.str());
  *ask.mutable_history_for()->mutable_hidden() = run(show).list_state().hidden();
  v1::GetHistory& request = *ask.mutable_history_for()->mutable_request();
  request.set_conversation_id(where.str());
  request.set_from(from);
  request.set_backward(backward);
  request.set_limit(limit);
  return run(ask).frame();
}

std::vector<v1::Change> Play::all_history(const Person& who, const ConversationId& where) {
  const auto answer = history(who, where);
  return {answer.history().changes().begin(), answer.history().changes().end()};
}

v1::ConversationsReply Play::conversations(const Person& who, std::uint32_t limit, const std::string& token) {
  return ask(who,
             [&](auto& f) {
               f.mutable_list_conversations()->set_limit(limit);
               f.mutable_list_conversations()->set_page_token(token);
             })
      .conversations();
}

v1::ConversationSummary Play::line(const Person& who, const ConversationId& where) {
  const v1::ConversationsReply all = conversations(who);
  for (const auto& line : all.conversations()) {
    if (line.conversation_id() == where.bytes()) return line;
  }
  return {};
}

std::vector<v1::InboxItem> Play::inbox(const Person& who) const {
  std::vector<v1::InboxItem> items;
  const std::string prefix = keys::prefix(keys::Family::inbox, who.id.bytes());
  for (auto it = stage.rows.lower_bound(prefix); it != stage.rows.end() && it->first.starts_with(prefix); ++it) {
    HF_CHECK(items.emplace_back().ParseFromString(it->second), "an inbox row parses");
  }
  return items;
}

state::Conversation Play::row(const ConversationId& where) const {
  return stage.stored<state::Conversation>(keys::conversation(where)).value();
}

v1::Change Play::change(const ConversationId& where, std::uint64_t number) const {
  return stage.stored<v1::Change>(keys::change(where, number)).value();
}

void Play::check_sequence(const ConversationId& where) const {
  const state::Conversation conversation = row(where);
  std::uint64_t posts = 0;
  for (std::uint64_t number = 1; number <= conversation.last_number(); ++number) {
    const v1::Change step = change(where, number);
    posts += step.has_posted() ? 1 : 0;
    HF_CHECK(step.number() == number && step.posts() == posts, "numbers have no gaps, posts are counted");
  }
  HF_CHECK(!stage.rows.contains(keys::change(where, conversation.last_number() + 1)), "the last number is the last");
  HF_CHECK(posts == conversation.posts(), "posts are counted");
  const std::string prefix = keys::prefix(keys::Family::member, where.bytes());
  std::uint32_t members = 0;
  for (auto it = stage.rows.lower_bound(prefix); it != stage.rows.end() && it->first.starts_with(prefix); ++it) {
    state::MemberRow member;
    HF_CHECK(member.ParseFromString(it->second), "a member row parses");
    const bool present = member.intervals(member.intervals_size() - 1).left() == 0;
    members += present ? 1 : 0;
    const bool owner = it->first.substr(prefix.size()) == conversation.owner();
    HF_CHECK(owner == (member.role() == v1::OWNER), "the owner's row says so, and no other");
  }
  HF_CHECK(members == conversation.members(), "members are counted");
}

std::string word_of(const v1::Change& change) {
  switch (change.what_case()) {
    case v1::Change::kPosted: return change.posted().deleted() ? "gone" : change.posted().body();
    case v1::Change::kEdited: return "edit:" + change.edited().body();
    case v1::Change::kDeleted: return "delete";
    case v1::Change::kReacted: return "react";
    case v1::Change::kCreated: return "created";
    case v1::Change::kMembersAdded: return "added";
    case v1::Change::kMemberLeft: return "left";
    case v1::Change::kRoleChanged: return "role";
    case v1::Change::kRenamed: return "renamed";
    case v1::Change::kDeliveryChanged: return change.delivery_changed().large() ? "large" : "small";
    case v1::Change::kHidden: return "hidden";
    case v1::Change::WHAT_NOT_SET: return "nothing";
  }
  return "unknown";
}

std::vector<std::string> words_of(const std::vector<v1::InboxItem>& items) {
  std::vector<std::string> words;
  for (const auto& item : items) {
    if (item.has_change()) words.push_back(word_of(item.change()));
    if (item.has_reference()) words.push_back("reference:" + std::to_string(item.reference()));
    if (item.has_head()) words.push_back("head:" + std::to_string(item.head()));
  }
  return words;
}

std::vector<std::uint64_t> numbers_of(const v1::ServerFrame& history) {
  std::vector<std::uint64_t> numbers;
  for (const auto& change : history.history().changes()) numbers.push_back(change.number());
  return numbers;
}

}  // namespace holdfast::chat
