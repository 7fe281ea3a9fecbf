#include "server/chat/flows.h"

#include <catch2/catch.hpp>

#include "server/chat/conversation_id.h"
#include "server/chat/request_ids.h"
#include "tests/support/fake_backend.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {

v1::ClientFrame fresh(FakeBackend& backend) {
  v1::ClientFrame frame;
  frame.set_idempotency_id(backend.fresh_id().str());
  return frame;
}

v1::ClientFrame post_to(FakeBackend& backend, const std::string& conversation, const std::string& body) {
  v1::ClientFrame frame;
  frame.mutable_post()->set_conversation_id(conversation);
  frame.mutable_post()->set_client_message_id(backend.fresh_id().str());
  frame.mutable_post()->set_body(body);
  return frame;
}

}  // namespace

TEST_CASE("run_request: what needs a session, or none, or an operator, is refused by what the caller is") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  v1::ClientFrame frame;
  frame.set_request_id(5);
  frame.mutable_list_devices();
  const RequestOutcome outcome = backend.run({}, frame);
  CHECK(outcome.frame.error().code() == v1::NOT_LOGGED_IN);
  CHECK(outcome.frame.request_id() == 5);
  CHECK(backend.run(device.caller, login(backend, "anna", "correct horse")).frame.error().code() ==
        v1::PRECONDITION_FAILED);
  frame.mutable_rotate_token_key();
  CHECK(backend.run(device.caller, frame).frame.error().code() == v1::PERMISSION_DENIED);
  CHECK(backend.run(device.caller, v1::ClientFrame()).frame.error().code() == v1::UNSUPPORTED);
}

TEST_CASE("run_request: every id of a wrong length is named, in every operation") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const auto* oneof = v1::ClientFrame::descriptor()->FindOneofByName("operation");
  int checked = 0;
  for (int i = 0; i < oneof->field_count(); ++i) {
    const auto* content = oneof->field(i)->message_type();
    for (int k = 0; k < content->field_count(); ++k) {
      const auto* field = content->field(k);
      const bool an_id = field->name().ends_with("_id") || field->name() == "members";
      if (field->type() != google::protobuf::FieldDescriptor::TYPE_BYTES || !an_id) continue;
      v1::ClientFrame frame;
      auto* message = frame.GetReflection()->MutableMessage(&frame, oneof->field(i));
      for (int other = 0; other < content->field_count(); ++other)  // the others are well formed
        if (content->field(other)->type() == field->type() && !content->field(other)->is_repeated())
          message->GetReflection()->SetString(message, content->field(other), std::string(16, 'x'));
      if (field->is_repeated())
        message->GetReflection()->AddString(message, field, "fifteen bytes..");
      else
        message->GetReflection()->SetString(message, field, "fifteen bytes..");
      const v1::Error error = backend.run(device.caller, frame).frame.error();
      INFO(content->name() << '.' << field->name());
      CHECK(error.code() == v1::INVALID_ARGUMENT);
      CHECK(error.message().starts_with(field->name() + ":"));
      ++checked;
    }
  }
  CHECK(checked > 20);
}

TEST_CASE(
    "Register: with an address, which leads to a mail, it is one of the strangers of whom there are not too many") {
  FakeBackend backend;
  backend.strangers_admitted = 2;
  const auto with_address = [&](const std::string& name) {
    v1::ClientFrame frame = registration(backend, name, "correct horse");
    frame.mutable_register_()->set_email("victim@inbox.test");
    return backend.run({}, frame).frame.error().code();
  };
  CHECK(with_address("anna") == v1::ERROR_UNSPECIFIED);
  CHECK(with_address("berta") == v1::ERROR_UNSPECIFIED);
  CHECK(with_address("carla") == v1::RETRY);
  CHECK(backend.run({}, registration(backend, "dora", "correct horse")).logged_in);  // leads to none
}

TEST_CASE("run_request: an answer that never comes frees the request and all it holds") {
  FakeBackend backend;
  new_user(backend, "anna");
  const auto held = std::make_shared<int>(1);
  run_request(backend, {}, login(backend, "anna", "correct horse"), [held](const RequestOutcome&) {}, nullptr);
  CHECK(held.use_count() > 1);
  backend.settle(1);  // BeginLogin is answered, what follows is lost
  CHECK(held.use_count() == 1);
}

TEST_CASE("GetUser: by name and by id; who is not there is not found") {
  FakeBackend backend;
  const Device anna = new_user(backend, "anna");
  const Device berta = new_user(backend, "berta");
  v1::ClientFrame frame;
  frame.mutable_get_user()->set_username("berta");
  CHECK(backend.run(anna.caller, frame).frame.user().user_id() == berta.caller.user->bytes());
  frame.mutable_get_user()->set_user_id(berta.caller.user->str());
  CHECK(backend.run(anna.caller, frame).frame.user().username() == "berta");
  frame.mutable_get_user()->set_username("carla");
  CHECK(backend.run(anna.caller, frame).frame.error().code() == v1::NOT_FOUND);
}

TEST_CASE("OpenDirect: one conversation whoever starts it, with somebody who exists and is not oneself") {
  FakeBackend backend;
  const Device anna = new_user(backend, "anna");
  const Device berta = new_user(backend, "berta");
  v1::ClientFrame frame = fresh(backend);
  frame.mutable_open_direct()->set_user_id(berta.caller.user->str());
  const v1::ServerFrame by_anna = backend.run(anna.caller, frame).frame;
  REQUIRE(by_anna.has_conversation());
  CHECK(by_anna.conversation().conversation_id() == direct_conversation(*berta.caller.user, *anna.caller.user).bytes());
  frame.mutable_open_direct()->set_user_id(anna.caller.user->str());
  CHECK(backend.run(berta.caller, frame).frame.conversation().conversation_id() ==
        by_anna.conversation().conversation_id());
  CHECK(backend.run(anna.caller, frame).frame.error().code() == v1::INVALID_ARGUMENT);
  frame.mutable_open_direct()->set_user_id(std::string(16, 'x'));
  CHECK(backend.run(anna.caller, frame).frame.error().code() == v1::NOT_FOUND);

  CHECK(backend.run(anna.caller, post_to(backend, by_anna.conversation().conversation_id(), "hi")).frame.has_change());
  v1::ClientFrame history;
  history.mutable_get_history()->set_conversation_id(by_anna.conversation().conversation_id());
  history.mutable_get_history()->set_limit(10);
  const v1::HistoryReply page = backend.run(berta.caller, history).frame.history();
  REQUIRE(page.changes_size() == 2);
  CHECK(page.changes(1).posted().body() == "hi");
}

TEST_CASE("CreateGroup: asks all members' partitions first; a repetition is the same group") {
  FakeBackend backend;
  const Device anna = new_user(backend, "anna");
  v1::ClientFrame frame = fresh(backend);
  frame.mutable_create_group()->set_title("all of us");
  for (int i = 0; i < 10; ++i)
    frame.mutable_create_group()->add_members(new_user(backend, "m" + std::to_string(i)).caller.user->str());
  const v1::ServerFrame made = backend.run(anna.caller, frame).frame;
  REQUIRE(made.has_conversation());
  CHECK(backend.run(anna.caller, frame).frame.conversation().conversation_id() ==
        made.conversation().conversation_id());

  v1::ClientFrame add = fresh(backend);
  add.mutable_add_members()->set_conversation_id(made.conversation().conversation_id());
  add.mutable_add_members()->add_members(std::string(16, 'x'));
  CHECK(backend.run(anna.caller, add).frame.error().code() == v1::NOT_FOUND);
  add.mutable_add_members()->set_members(0, new_user(backend, "late").caller.user->str());
  CHECK(backend.run(anna.caller, add).frame.has_change());
  for (int i = 0; i < 101; ++i) add.mutable_add_members()->add_members(std::string(16, 'x'));
  CHECK(backend.run(anna.caller, add).frame.error().code() == v1::TOO_LARGE);
}

TEST_CASE("BlockUser: of somebody who exists, and lifting it of anybody") {
  FakeBackend backend;
  const Device anna = new_user(backend, "anna");
  const Device berta = new_user(backend, "berta");
  v1::ClientFrame block = fresh(backend);
  block.mutable_block_user()->set_user_id(berta.caller.user->str());
  block.mutable_block_user()->set_blocked(true);
  CHECK(backend.run(anna.caller, block).frame.has_done());
  v1::ClientFrame list;
  list.mutable_list_blocks();
  CHECK(backend.run(anna.caller, list).frame.blocks().user_ids_size() == 1);
  block = fresh(backend);
  block.mutable_block_user()->set_user_id(std::string(16, 'x'));
  block.mutable_block_user()->set_blocked(true);
  CHECK(backend.run(anna.caller, block).frame.error().code() == v1::NOT_FOUND);
  block.mutable_block_user()->set_user_id(anna.caller.user->str());
  CHECK(backend.run(anna.caller, block).frame.error().code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("WatchPresence: names whom the front door is to watch") {
  FakeBackend backend;
  const Device anna = new_user(backend, "anna");
  const Device berta = new_user(backend, "berta");
  v1::ClientFrame frame = fresh(backend);
  frame.mutable_open_direct()->set_user_id(berta.caller.user->str());
  const std::string conversation = backend.run(anna.caller, frame).frame.conversation().conversation_id();
  v1::ClientFrame watch;
  watch.mutable_watch_presence()->set_conversation_id(conversation);
  const v1::PresenceReply reply = backend.run(anna.caller, watch).frame.presence();
  REQUIRE(reply.users_size() == 1);
  CHECK(reply.users(0).user_id() == berta.caller.user->bytes());
  CHECK(reply.valid_s() == 300);
}
