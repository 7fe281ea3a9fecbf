#include "tests/support/town.h"

#include "storage/keys.h"
#include "tests/support/requests.h"

namespace holdfast::services {

std::string Carrier::Sent::value(const std::string& key) const {
  const auto found = addition.values.single.find(key);
  return found == addition.values.single.end() ? std::string() : found->second;
}

std::vector<std::string> Carrier::Sent::texts() const {
  std::vector<std::string> texts;
  const auto found = addition.values.lists.find("messages");
  if (found == addition.values.lists.end()) return texts;
  for (const auto& message : found->second) texts.push_back(message.at("text"));
  return texts;
}

void Carrier::begin(chat::Backend& backend, chat::BeginIntent intent, IsOurs,
                    std::function<void(command::IntentDone)> then) {
  Task<Addition> assembling = assemble_(backend, intent);
  run_task(std::move(assembling), [this, intent, then = std::move(then)](Addition addition) {
    command::IntentDone done;
    if (addition.unwanted) {
      done.set_outcome(command::IntentDone::UNWANTED);
    } else if (addition.later || is_down) {
      done.set_outcome(command::IntentDone::LATER);
    } else {
      const std::string name = addition.template_name;
      sent.push_back({intent.user, intent.id, intent.intent.mail().to(), name, std::move(addition)});
    }
    then(std::move(done));
  });
}

Townsman Town::person(const std::string& name, bool mail) {
  const chat::Device device = chat::new_user(node, name);
  Townsman who{name, *device.caller.user, device.caller};
  if (mail) set_address(who, name + "@inbox.test", true);
  return who;
}

Townsman Town::device(const Townsman& who) {
  const chat::RequestOutcome in = node.run({}, chat::login(node, who.name, "correct horse"));
  return {who.name, who.id, chat::caller_after(in)};
}

void Town::set_address(const Townsman& who, const std::string& address, bool verified) {
  auto& rows = node.home(who.id).rows;
  state::Account account = node.home(who.id).stored<state::Account>(keys::account(who.id)).value();
  account.set_email(address);
  account.set_email_verified(verified);
  rows[keys::account(who.id)] = account.SerializeAsString();
  command::Command refresh;
  refresh.set_user(who.id.str());
  refresh.mutable_refresh_mail();
  node.ask(partition_of(who.id, node.partitions()), std::move(refresh), [](const command::Answer&) {});
  node.settle();
}

v1::ServerFrame Town::ask(const Townsman& who, v1::ClientFrame frame) {
  frame.set_idempotency_id(node.fresh_id().str());
  return node.run(who.caller, std::move(frame)).frame;
}

std::string Town::talk(const Townsman& who, const Townsman& other) {
  return ask(who, requests::open_direct(other.id)).conversation().conversation_id();
}

std::string Town::group(const Townsman& owner, const std::string& title, const std::vector<Townsman>& members) {
  std::vector<UserId> ids;
  ids.reserve(members.size());
  for (const Townsman& member : members) ids.push_back(member.id);
  return ask(owner, requests::create_group(title, ids)).conversation().conversation_id();
}

std::uint64_t Town::say(const Townsman& who, const std::string& where, const std::string& text,
                        const std::string& content_type) {
  v1::ClientFrame frame = requests::post(where, text);
  frame.mutable_post()->set_content_type(content_type);
  frame.mutable_post()->set_client_message_id(node.fresh_id().str());
  const v1::ServerFrame answer = ask(who, std::move(frame));
  HF_CHECK(answer.has_change(), "the post is taken");
  return answer.change().number();
}

void Town::acknowledge(const Townsman& who) {
  v1::ClientFrame frame;
  frame.mutable_ack_inbox()->set_position(mailbox(who).head());
  ask(who, std::move(frame));
}

void Town::read(const Townsman& who, const std::string& where, std::uint64_t number) {
  ask(who, requests::mark(where, number));
}

v1::ErrorCode Town::settings(const Townsman& who, v1::MailMode mode, std::uint64_t delay_s) {
  v1::ClientFrame frame;
  frame.mutable_set_mail_settings()->set_mode(mode);
  frame.mutable_set_mail_settings()->set_delay_s(delay_s);
  return chat::code_of(ask(who, std::move(frame)));
}

state::Mailbox Town::mailbox(const Townsman& who) {
  return node.home(who.id).stored<state::Mailbox>(keys::mailbox(who.id)).value();
}

std::vector<log::IntentEnded::Outcome> Town::ended() const {
  std::vector<log::IntentEnded::Outcome> outcomes;
  for (const log::Event& event : node.events())
    if (event.has_intent_ended()) outcomes.push_back(event.intent_ended().outcome());
  return outcomes;
}

}  // namespace holdfast::services
