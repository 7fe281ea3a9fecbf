#include "tests/fuzz/world.h"

#include "base/check.h"
#include "clients/cpp/ask.h"
#include "proto/frame.h"

namespace holdfast::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace ask = client::ask;

constexpr std::uint16_t kPartitions = 4;
constexpr std::size_t kUsers = 3;

/// Made once: what every world begins with.
struct Template {
  std::vector<chat::RowMap> rows;
  std::vector<chat::Device> devices;
  std::vector<std::string> users, sessions, conversations, requests, tokens;
};

v1::ServerFrame run(chat::FakeBackend& backend, const chat::Caller& caller, v1::ClientFrame frame) {
  if (!frame.has_post()) frame.set_idempotency_id(backend.fresh_id().str());
  const auto outcome = backend.run(caller, std::move(frame));
  HF_CHECK(!outcome.frame.has_error(), outcome.frame.error().message().c_str());
  return outcome.frame;
}

Template make() {
  Template made;
  chat::FakeBackend backend(kPartitions);
  for (const char* name : {"ada", "bob", "eve"}) {
    made.devices.push_back(chat::new_user(backend, name));
    made.users.push_back(made.devices.back().caller.user->str());
    made.sessions.push_back(made.devices.back().caller.session.str());
    made.tokens.push_back(made.devices.back().token);
  }
  const auto& ada = made.devices[0].caller;
  const auto& bob = made.devices[1].caller;
  const auto direct = run(backend, ada, ask::open_direct(*bob.user)).conversation();
  const auto group = run(backend, ada, ask::create_group("a group", {*bob.user})).conversation();
  made.conversations = {direct.conversation_id(), group.conversation_id(), std::string(16, 'n')};
  for (const auto& id : {direct.conversation_id(), group.conversation_id()}) {
    for (const auto& author : {ada, bob}) {
      v1::ClientFrame post = ask::post(*ConversationId::from_bytes(id), "a message");
      post.mutable_post()->set_client_message_id(backend.fresh_id().str());
      run(backend, author, std::move(post));
    }
  }
  for (int i = 0; i < 8; ++i) made.requests.push_back(backend.fresh_id().str());
  for (std::uint16_t i = 0; i < kPartitions; ++i) made.rows.push_back(backend.partition(PartitionId(i)).rows);
  return made;
}

const Template& the_template() {
  static const Template made = make();
  return made;
}

const std::vector<std::string>* known_of(const std::string& field) {
  const Template& made = the_template();
  if (field == "conversation_id") return &made.conversations;
  if (field == "user_id" || field == "members" || field == "after_user_id") return &made.users;
  if (field == "session_id") return &made.sessions;
  if (field == "client_message_id" || field == "idempotency_id") return &made.requests;
  if (field == "token") return &made.tokens;
  return nullptr;
}

std::string expanded(const std::string& field, const std::string& bytes) {
  const auto* known = bytes.size() == 1 ? known_of(field) : nullptr;
  return known ? (*known)[static_cast<std::uint8_t>(bytes[0]) % known->size()] : bytes;
}

void expand_message(Message& message) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_MESSAGE && !field->is_repeated()) {
      expand_message(*reflection->MutableMessage(&message, field));
    } else if (field->type() == FieldDescriptor::TYPE_BYTES && field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i)
        reflection->SetRepeatedString(&message, field, i,
                                      expanded(field->name(), reflection->GetRepeatedString(message, field, i)));
    } else if (field->type() == FieldDescriptor::TYPE_BYTES) {
      reflection->SetString(&message, field, expanded(field->name(), reflection->GetString(message, field)));
    }
  }
}

}  // namespace

World::World() : backend_(std::make_unique<chat::FakeBackend>(kPartitions)) {
  const Template& made = the_template();
  for (std::uint16_t i = 0; i < kPartitions; ++i) {
    backend_->partition(PartitionId(i)).rows = made.rows[i];
    backend_->partition(PartitionId(i)).every_first_read_misses = false;
  }
}

chat::Caller World::caller(std::uint8_t which) const {
  chat::Caller caller;
  if (which % (kUsers + 2) < kUsers) return the_template().devices[which % (kUsers + 2)].caller;
  caller.operator_rights = which % (kUsers + 2) == kUsers;
  return caller;
}

void World::expand(v1::ClientFrame& frame) const { expand_message(frame); }

void check_answer(const v1::ServerFrame& answer) {
  HF_CHECK(answer.content_case() != v1::ServerFrame::CONTENT_NOT_SET, "an answer says something");
  HF_CHECK(answer.ByteSizeLong() <= kFrameBytesMax, "an answer fits into a frame");
  if (!answer.has_error()) return;
  HF_CHECK(v1::ErrorCode_IsValid(answer.error().code()), "errors are typed");
  HF_CHECK(answer.error().code() != v1::ERROR_UNSPECIFIED, "errors are typed");
  HF_CHECK(answer.error().code() != v1::INTERNAL, "nothing that a client sends is our fault");
  HF_CHECK(!answer.error().message().empty(), "errors are explained");
}

}  // namespace holdfast::fuzz
