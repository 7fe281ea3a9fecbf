/// Requests that are well formed and wrong: each with its typed answer, on a connection that goes on.
#include <catch2/catch.hpp>

#include "clients/cpp/ask.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::Bystanders;
using testing::fresh_id;
using testing::fresh_name;
using testing::post_frame;
using testing::RawClient;
using testing::shared_server;

UserId user_of(const RawClient& client) { return *UserId::from_bytes(client.user_id); }
ConversationId conversation(const std::string& bytes) { return *ConversationId::from_bytes(bytes); }
ConversationId nowhere() { return *ConversationId::from_bytes(std::string(16, 'n')); }

/// An owner, an admin and a member of one group, and somebody else.
struct Group {
  RawClient owner{shared_server().port()}, admin{shared_server().port()}, member{shared_server().port()},
      stranger{shared_server().port()};
  std::string id;

  Group() {
    owner.register_as(fresh_name("owner"));
    admin.register_as(fresh_name("admin"));
    member.register_as(fresh_name("member"));
    stranger.register_as(fresh_name("stranger"));
    id = owner.ask(ask::create_group("a group", {user_of(admin), user_of(member)})).conversation().conversation_id();
    REQUIRE(owner.ask(ask::set_role(conversation(id), user_of(admin), v1::ADMIN)).has_change());
  }
};

v1::ClientFrame frame_of(v1::ClientFrame::OperationCase operation) {
  v1::ClientFrame frame;
  const auto* field = v1::ClientFrame::descriptor()->FindFieldByNumber(operation);
  frame.GetReflection()->MutableMessage(&frame, field);
  return frame;
}

}  // namespace

TEST_CASE("Bad requests: before a log-in every operation but those that lead to one is refused") {
  Bystanders others(shared_server().port());
  RawClient client(shared_server().port());
  client.hello();
  const auto* operations = v1::ClientFrame::descriptor()->FindOneofByName("operation");
  for (int i = 0; i < operations->field_count(); ++i) {
    const auto operation = static_cast<v1::ClientFrame::OperationCase>(operations->field(i)->number());
    using F = v1::ClientFrame;
    if (operation == F::kHello || operation == F::kPing || operation == F::kRegister || operation == F::kLogIn ||
        operation == F::kResume || operation == F::kOperatorLogIn || operation == F::kRequestPasswordReset ||
        operation == F::kVerifyAddress)
      continue;
    const bool operators =
        (operation >= F::kProvisionUsers && operation <= F::kGetResetWave) || operation == F::kDeleteUser;
    INFO(operations->field(i)->name());
    CHECK(client.refused(frame_of(operation)).code() == (operators ? v1::PERMISSION_DENIED : v1::NOT_LOGGED_IN));
  }
  others.go_on();
}

TEST_CASE("Bad requests: a user is no operator, and a wrong operator key makes none") {
  RawClient client(shared_server().port());
  client.register_as(fresh_name("mallory"));
  CHECK(client.refused(ask::provision_users({"x"}, "d")).code() == v1::PERMISSION_DENIED);
  CHECK(client.refused(ask::set_account_status({"x", v1::ACTIVE, 0, ""})).code() == v1::PERMISSION_DENIED);
  CHECK(client.refused(ask::rotate_token_key()).code() == v1::PERMISSION_DENIED);
  v1::ClientFrame key;
  key.mutable_operator_log_in()->set_key(std::string(64, '0'));
  CHECK(client.refused(key).code() == v1::WRONG_CREDENTIALS);
  CHECK(client.refused(ask::rotate_token_key()).code() == v1::PERMISSION_DENIED);
}

TEST_CASE("Bad requests: a connection has one session") {
  RawClient client(shared_server().port());
  client.register_as(fresh_name("once"));
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(client.token);
  CHECK(client.refused(resume).code() == v1::PRECONDITION_FAILED);
  CHECK(client.ask(ask::get_account()).has_account());
}

TEST_CASE("Bad requests: names, passwords and addresses are checked at registration") {
  Bystanders others(shared_server().port());
  RawClient client(shared_server().port());
  client.hello();
  const auto code = [&](const std::string& name, const std::string& password, const std::string& email = "",
                        const std::string& device = "") {
    v1::ClientFrame frame;
    frame.mutable_register_()->set_username(name);
    frame.mutable_register_()->set_password(password);
    frame.mutable_register_()->set_email(email);
    frame.mutable_register_()->set_device_name(device);
    return client.refused(std::move(frame)).code();
  };
  const std::string good = fresh_name("good");
  const std::string password = RawClient::kPassword;
  for (const std::string name : {"", "Upper", "with space", "ü", "a/b"})
    CHECK(code(name, password) == v1::INVALID_ARGUMENT);
  CHECK(code(std::string(65, 'a'), password) == v1::INVALID_ARGUMENT);
  CHECK(code(good, "short") == v1::INVALID_ARGUMENT);
  CHECK(code(good, std::string(1'025, 'p')) == v1::INVALID_ARGUMENT);
  CHECK(code(good, std::string("null\0null", 9)) == v1::INVALID_ARGUMENT);
  CHECK(code(good, password, "no address") == v1::INVALID_ARGUMENT);
  CHECK(code(good, password, "", std::string(129, 'd')) == v1::INVALID_ARGUMENT);
  CHECK(code(good, password, "", "control\ncharacter") == v1::INVALID_ARGUMENT);
  others.go_on();
}

TEST_CASE("Bad requests: a name that is not UTF-8 makes the frame no ClientFrame") {
  Bystanders others(shared_server().port());
  for (const std::string& bad : {std::string("\xc3\x28"), std::string("\xff"), std::string("\xed\xa0\x80")}) {
    RawClient client(shared_server().port());
    client.register_as(fresh_name("latin"));
    std::string good = ask::create_group("TITLE", {}).SerializeAsString();
    const auto at = good.find("TITLE");
    REQUIRE(at != std::string::npos);
    good.replace(at, bad.size(), bad);
    std::string bytes;
    append_frame(bytes, std::string_view(good));
    client.send_bytes(bytes);
    CHECK(client.read_last_error().code() == v1::INVALID_ARGUMENT);
    others.go_on();
  }
}

TEST_CASE("Bad requests: roles are kept") {
  Group group;
  const ConversationId id = conversation(group.id);
  CHECK(group.member.refused(ask::rename_group(id, "mine")).code() == v1::PERMISSION_DENIED);
  CHECK(group.member.refused(ask::add_members(id, {user_of(group.stranger)})).code() == v1::PERMISSION_DENIED);
  CHECK(group.member.refused(ask::remove_member(id, user_of(group.admin))).code() == v1::PERMISSION_DENIED);
  CHECK(group.admin.refused(ask::remove_member(id, user_of(group.owner))).code() == v1::PERMISSION_DENIED);
  CHECK(group.admin.refused(ask::set_role(id, user_of(group.member), v1::ADMIN)).code() == v1::PERMISSION_DENIED);
  CHECK(group.owner.refused(ask::set_role(id, user_of(group.owner), v1::MEMBER)).code() == v1::PRECONDITION_FAILED);
  CHECK(group.owner.refused(ask::set_role(id, user_of(group.stranger), v1::ADMIN)).code() == v1::NOT_FOUND);
  CHECK(group.owner.refused(ask::set_role(id, user_of(group.member), v1::ROLE_UNSPECIFIED)).code() ==
        v1::INVALID_ARGUMENT);

  const auto number = group.owner.ask(post_frame(group.id, "the owner's")).change().number();
  CHECK(group.admin.refused(ask::edit(id, number, "mine now")).code() == v1::PERMISSION_DENIED);
  CHECK(group.member.refused(ask::remove(id, number)).code() == v1::PERMISSION_DENIED);
  CHECK(group.admin.ask(ask::remove(id, number)).has_change());
  CHECK(group.owner.refused(ask::edit(id, number, "gone")).code() == v1::NOT_FOUND);

  const auto direct = group.owner.ask(ask::open_direct(user_of(group.member))).conversation().conversation_id();
  CHECK(group.owner.refused(ask::rename_group(conversation(direct), "ours")).code() == v1::PRECONDITION_FAILED);
  CHECK(group.owner.refused(ask::leave(conversation(direct))).code() == v1::PRECONDITION_FAILED);
}

TEST_CASE("Bad requests: a stranger can't tell a conversation from one that is not there") {
  Group group;
  const ConversationId id = conversation(group.id);
  for (const ConversationId& which : {id, nowhere()}) {
    const auto code = [&](v1::ClientFrame frame) { return group.stranger.refused(std::move(frame)).code(); };
    CHECK(code(post_frame(which.str(), "hello?")) == v1::NOT_FOUND);
    CHECK(code(ask::edit(which, 1, "x")) == v1::NOT_FOUND);
    CHECK(code(ask::remove(which, 1)) == v1::NOT_FOUND);
    CHECK(code(ask::react(which, 1, "x")) == v1::NOT_FOUND);
    CHECK(code(ask::history(which, {})) == v1::NOT_FOUND);
    CHECK(code(ask::mark(which, 1, 1)) == v1::NOT_FOUND);
    CHECK(code(ask::get_positions(which, "", 10)) == v1::NOT_FOUND);
    CHECK(code(ask::list_members(which, "", 10)) == v1::NOT_FOUND);
    CHECK(code(ask::set_typing(which, true)) == v1::NOT_FOUND);
    CHECK(code(ask::watch_presence(which)) == v1::NOT_FOUND);
    CHECK(code(ask::leave(which)) == v1::NOT_FOUND);
    CHECK(code(ask::rename_group(which, "x")) == v1::NOT_FOUND);
    CHECK(code(ask::set_conversation(which, true, true)) == v1::NOT_FOUND);
  }
  const UserId nobody = *UserId::from_bytes(std::string(16, 'u'));
  CHECK(group.stranger.refused(ask::open_direct(nobody)).code() == v1::NOT_FOUND);
  CHECK(group.stranger.refused(ask::create_group("t", {nobody})).code() == v1::NOT_FOUND);
  CHECK(group.stranger.refused(ask::block_user(nobody, true)).code() == v1::NOT_FOUND);
  CHECK(group.stranger.refused(ask::get_user("no.such.user")).code() == v1::NOT_FOUND);
  CHECK(group.stranger.refused(ask::open_direct(user_of(group.stranger))).code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("Bad requests: absurd page sizes are refused, not served") {
  Group group;
  const ConversationId id = conversation(group.id);
  for (const std::uint32_t limit : {0u, 501u, 4'294'967'295u}) {
    const auto expected = limit == 0 ? v1::INVALID_ARGUMENT : v1::TOO_LARGE;
    CHECK(group.member.refused(ask::history(id, {.limit = limit})).code() == expected);
    CHECK(group.member.refused(ask::list_conversations("", limit)).code() == expected);
    if (limit == 501) continue;
    CHECK(group.member.refused(ask::list_members(id, "", limit)).code() == expected);
    CHECK(group.member.refused(ask::get_positions(id, "", limit)).code() == expected);
  }
  CHECK(group.member.refused(ask::list_conversations("not a token", 10)).code() == v1::INVALID_ARGUMENT);
  CHECK(group.member.ask(ask::history(id, {.from = UINT64_MAX, .backward = false, .limit = 500})).has_history());
  CHECK(group.member.ask(ask::history(id, {.from = UINT64_MAX, .backward = true, .limit = 500})).has_history());
}

TEST_CASE("Bad requests: ids of the wrong length are refused wherever the schema has one") {
  Bystanders others(shared_server().port());
  RawClient client(shared_server().port());
  client.register_as(fresh_name("fumbler"));
  const auto* operations = v1::ClientFrame::descriptor()->FindOneofByName("operation");
  int tried = 0;
  for (int i = 0; i < operations->field_count(); ++i) {
    const auto* operation = operations->field(i);
    for (int k = 0; k < operation->message_type()->field_count(); ++k) {
      const auto* field = operation->message_type()->field(k);
      const bool is_id = field->type() == google::protobuf::FieldDescriptor::TYPE_BYTES &&
                         (field->name().ends_with("_id") || field->name() == "members");
      if (!is_id) continue;
      for (const std::size_t bytes : {1, 15, 17, 5'000}) {
        v1::ClientFrame frame = frame_of(static_cast<v1::ClientFrame::OperationCase>(operation->number()));
        auto* content = frame.GetReflection()->MutableMessage(&frame, operation);
        for (int other = 0; other < operation->message_type()->field_count(); ++other) {
          const auto* each = operation->message_type()->field(other);
          if (each == field || each->is_repeated() || each->containing_oneof()) continue;
          if (each->type() == google::protobuf::FieldDescriptor::TYPE_BYTES)
            content->GetReflection()->SetString(
                content, each, each->name() == "client_message_id" ? fresh_id() : std::string(16, 'x'));
        }
        if (field->is_repeated())
          content->GetReflection()->AddString(content, field, std::string(bytes, 'i'));
        else
          content->GetReflection()->SetString(content, field, std::string(bytes, 'i'));
        INFO(operation->name() << "." << field->name() << " of " << bytes);
        CHECK(client.refused(std::move(frame)).code() == v1::INVALID_ARGUMENT);
        ++tried;
      }
    }
  }
  CHECK(tried > 80);
  others.go_on();
}

TEST_CASE("Bad requests: idempotency and message ids must be UUIDv7 of about now") {
  Group group;
  const auto refused_with = [&](const std::string& id) {
    v1::ClientFrame post = post_frame(group.id, "x");
    post.mutable_post()->set_client_message_id(id);
    v1::ClientFrame rename = ask::rename_group(conversation(group.id), "x");
    rename.set_idempotency_id(id);
    const auto code = group.owner.refused(std::move(post)).code();
    if (!id.empty()) CHECK(group.owner.refused(std::move(rename)).code() == code);
    return code;
  };
  CHECK(refused_with("") == v1::INVALID_ARGUMENT);
  CHECK(refused_with(std::string(16, '\0')) == v1::INVALID_ARGUMENT);
  std::string version_4 = fresh_id();
  version_4[6] = static_cast<char>((version_4[6] & 0x0f) | 0x40);
  CHECK(refused_with(version_4) == v1::INVALID_ARGUMENT);
  CHECK(refused_with(fresh_id(15 * 60'000)) == v1::INVALID_ARGUMENT);
  CHECK(refused_with(fresh_id(-8LL * 24 * 3'600'000)) == v1::STALE_ID);
}

TEST_CASE("Bad requests: bodies are neither empty nor larger than 64 KiB") {
  Group group;
  CHECK(group.owner.refused(post_frame(group.id, "")).code() == v1::INVALID_ARGUMENT);
  CHECK(group.owner.refused(post_frame(group.id, std::string(65'537, 'b'))).code() == v1::TOO_LARGE);
  const auto number = group.owner.ask(post_frame(group.id, std::string(65'536, 'b'))).change().number();
  REQUIRE(number > 0);
  const ConversationId id = conversation(group.id);
  CHECK(group.owner.refused(ask::edit(id, number, "")).code() == v1::INVALID_ARGUMENT);
  CHECK(group.owner.refused(ask::react(id, number, "")).code() == v1::INVALID_ARGUMENT);
  CHECK(group.owner.refused(ask::react(id, number, std::string(65, 'r'))).code() == v1::INVALID_ARGUMENT);
  CHECK(group.owner.refused(ask::create_group("", {})).code() == v1::INVALID_ARGUMENT);
  CHECK(group.owner.refused(ask::create_group(std::string(257, 't'), {})).code() == v1::INVALID_ARGUMENT);
  CHECK(group.owner.refused(ask::add_members(id, {})).code() == v1::INVALID_ARGUMENT);
  const std::vector<UserId> crowd(101, user_of(group.stranger));
  CHECK(group.owner.refused(ask::create_group("crowd", crowd)).code() == v1::TOO_LARGE);
  CHECK(group.owner.refused(ask::mark(id, number + 1'000, 0)).code() == v1::INVALID_ARGUMENT);
}

}  // namespace holdfast
