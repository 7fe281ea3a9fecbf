/// kill -9 in the middle of everything: both are back without a password, and nothing is lost, doubled or out of order.
#include <catch2/catch.hpp>

#include "tests/integration/person.h"
#include "tests/integration/raw_client.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::fresh_id;
using testing::fresh_name;
using testing::Over;
using testing::Person;
using testing::RawClient;
using testing::ServerProcess;
using testing::Stage;

std::vector<std::string> numbered(const std::string& who, std::size_t count) {
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(who + " " + std::to_string(i));
  return bodies;
}

void chat_through_kills(Over over, int kills) {
  ServerProcess server;
  Stage stage(server);
  const std::string a_name = fresh_name("ada"), b_name = fresh_name("bob");
  const auto device = [&](const std::string& name) {
    return Person::Device{
        .credentials = client::RegisterWith{name, Person::kPassword, ""}, .over = over, .sends_ahead = 16};
  };
  Person a(stage, a_name, device(a_name)), b(stage, b_name, device(b_name));
  stage.until("both are there", [&] { return a.client().online() && b.client().online(); });
  const ConversationId talk = a.direct_with(b);
  b.hears(talk, 1);

  constexpr std::size_t kEach = 150;
  for (int round = 0; round < kills; ++round) {
    const std::size_t before = a.acknowledged();
    for (std::size_t i = 0; i < kEach; ++i) {
      a.mutter(talk, "a " + std::to_string(static_cast<std::size_t>(round) * kEach + i));
      b.mutter(talk, "b " + std::to_string(static_cast<std::size_t>(round) * kEach + i));
    }
    // Somewhere in the middle, another place each time.
    const std::size_t some = before + 10 + 37 * static_cast<std::size_t>(round);
    stage.until("some are acknowledged", [&] { return a.acknowledged() >= some; });
    // Who still waits to come back from the kill before would be back once for two of them.
    const auto times = static_cast<std::uint64_t>(round);
    stage.until("both are back", [&] { return a.client().resumes() >= times && b.client().resumes() >= times; });
    server.kill_hard();
    server.start();
  }
  const std::size_t each = kEach * static_cast<std::size_t>(kills);
  stage.until("all are acknowledged", [&] { return a.acknowledged() == each && b.acknowledged() == each; });
  const std::uint64_t last = 1 + 2 * each;
  a.hears(talk, last);
  b.hears(talk, last);
  for (Person* each_one : {&a, &b}) {
    CHECK(each_one->newest(talk) == last);
    CHECK(each_one->changes(talk).size() == last);
    CHECK(each_one->said_by(talk, a.id()) == numbered("a", each));
    CHECK(each_one->said_by(talk, b.id()) == numbered("b", each));
    CHECK(each_one->client().logins() == 1);
    CHECK(each_one->client().resumes() >= static_cast<std::uint64_t>(kills));
  }
  for (const auto& [number, change] : a.changes(talk))
    CHECK(change.SerializeAsString() == b.changes(talk).at(number).SerializeAsString());
}

}  // namespace

TEST_CASE("Kill: messages under way over plain TCP are neither lost nor doubled nor out of order") {
  chat_through_kills(Over::plain, 3);
}
TEST_CASE("Kill: the same over TLS") { chat_through_kills(Over::tls, 1); }
TEST_CASE("Kill: the same over WebSocket") { chat_through_kills(Over::websocket, 1); }

TEST_CASE("Kill: one client_message_id is one number, after the kill and from a new session of the same user") {
  ServerProcess server;
  const std::string name = fresh_name("once");
  std::string id, message = fresh_id(), edit_id = fresh_id(), group_id = fresh_id(), token;
  std::uint64_t number = 0, edited = 0;
  std::string group;
  const auto post = [&] {
    v1::ClientFrame frame = ask::post(*ConversationId::from_bytes(id), "only once");
    frame.mutable_post()->set_client_message_id(message);
    return frame;
  };
  const auto edit = [&] {
    v1::ClientFrame frame = ask::edit(*ConversationId::from_bytes(id), number, "edited once");
    frame.set_idempotency_id(edit_id);
    return frame;
  };
  const auto create = [&] {
    v1::ClientFrame frame = ask::create_group("once", {});
    frame.set_idempotency_id(group_id);
    return frame;
  };
  const auto check_same = [&](RawClient& client) {
    CHECK(client.ask(post()).change().number() == number);
    CHECK(client.ask(edit()).change().number() == edited);
    CHECK(client.ask(create()).conversation().conversation_id() == group);
    const auto page = client.ask(ask::history(*ConversationId::from_bytes(id), {.from = 0}));
    CHECK(page.history().last_number() == edited);
  };
  {
    RawClient other(server.port());
    other.register_as(fresh_name("peer"));
    RawClient client(server.port());
    client.register_as(name);
    token = client.token;
    id = client.ask(ask::open_direct(*UserId::from_bytes(other.user_id))).conversation().conversation_id();
    number = client.ask(post()).change().number();
    edited = client.ask(edit()).change().number();
    group = client.ask(create()).conversation().conversation_id();
    check_same(client);
    CHECK(other.refused(ask::edit(*ConversationId::from_bytes(id), number, "not yours")).code() ==
          v1::PERMISSION_DENIED);
  }
  server.kill_hard();
  server.start();
  {
    RawClient resumed(server.port());
    resumed.hello();
    v1::ClientFrame resume;
    resume.mutable_resume()->set_token(token);
    REQUIRE(resumed.ask(resume).has_session());
    check_same(resumed);
  }
  RawClient fresh(server.port());
  fresh.hello();
  v1::ClientFrame login;
  login.mutable_log_in()->set_username(name);
  login.mutable_log_in()->set_password(RawClient::kPassword);
  REQUIRE(fresh.ask(login).has_session());
  check_same(fresh);
}

TEST_CASE("Kill: an answer that was lost with the server is the same when asked again") {
  // The request goes out, and the server dies with it, at whatever point it is.
  ServerProcess server;
  RawClient first(server.port());
  first.register_as(fresh_name("asker"));
  const std::string token = first.token;
  std::vector<std::string> ids;
  std::string group = first.ask(ask::create_group("the log of it", {})).conversation().conversation_id();
  std::unique_ptr<RawClient> client;
  for (int round = 0; round < 3; ++round) {
    RawClient* using_now = client ? client.get() : &first;
    for (int i = 0; i < 40; ++i) {
      ids.push_back(fresh_id());
      v1::ClientFrame frame = ask::post(*ConversationId::from_bytes(group), std::to_string(ids.size()));
      frame.mutable_post()->set_client_message_id(ids.back());
      frame.set_request_id(10'000 + ids.size());
      using_now->send(frame);
    }
    for (int i = 0; i < 5 * round; ++i) using_now->read_frame();
    server.kill_hard();
    server.start();
    client = std::make_unique<RawClient>(server.port());
    client->hello();
    v1::ClientFrame resume;
    resume.mutable_resume()->set_token(token);
    REQUIRE(client->ask(resume).has_session());
    // All again, in order: what was done keeps its number, what was not gets the next.
    for (std::size_t i = 0; i < ids.size(); ++i) {
      v1::ClientFrame frame = ask::post(*ConversationId::from_bytes(group), std::to_string(i + 1));
      frame.mutable_post()->set_client_message_id(ids[i]);
      REQUIRE(client->ask(frame).change().number() == i + 2);
    }
  }
}

}  // namespace holdfast
