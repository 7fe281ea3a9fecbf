#include "tests/integration/person.h"

#include <catch2/catch.hpp>

namespace holdfast::testing {

using client::LogInWith;
using client::RegisterWith;

namespace {

constexpr std::chrono::seconds kPatience{20};

const char* scheme_of(Over over) {
  switch (over) {
    case Over::plain: return "holdfast";
    case Over::tls: return "holdfasts";
    case Over::websocket: return "ws";
    case Over::websocket_tls: return "wss";
  }
  return "";
}

client::Endpoint endpoint_at(Over over, std::uint16_t port) {
  auto endpoint = client::parse_endpoint(std::string(scheme_of(over)) + "://localhost:" + std::to_string(port));
  REQUIRE(endpoint);
  return *endpoint;
}

}  // namespace

Stage::Stage(ServerProcess& server) : Stage({server.port()}, [&server] { return server.log(); }) {
  certificate_ = server.certificate();
}

Stage::Stage(std::vector<std::uint16_t> ports, std::function<std::string()> logs)
    : ports_(std::move(ports)), logs_(std::move(logs)), runtime_(io_.get_executor()) {}

Stage::~Stage() {
  runtime_.cancel();
  io_.restart();
  io_.run_for(kPatience);
}

void Stage::until(const char* what, const std::function<bool()>& is_so) {
  const SteadyTime end = steady_now() + kPatience;
  while (!is_so()) {
    io_.restart();
    io_.run_one_until(end);
    if (steady_now() >= end) FAIL("it did not happen: " << what << "\nserver's log:\n" << logs_());
  }
}

client::ClientOptions Stage::options(Over over) const {
  client::ClientOptions options;
  for (const std::uint16_t port : ports_) options.endpoints.push_back(endpoint_at(over, port));
  options.trust.ca_file = certificate_;
  options.reconnect.delay_max = std::chrono::milliseconds(200);
  options.request_max = kPatience;
  return options;
}

Person::Person(Stage& stage, const std::string& username, Over over)
    : Person(stage, username, Device{.credentials = RegisterWith{username, kPassword, ""}, .over = over}) {
  stage_.until("the registration", [this] { return client_->online() || ended(); });
  INFO((ended_ ? ended_->str() : ""));
  REQUIRE(client_->online());
}

Person::Person(Stage& stage, const std::string& username, const Device& device) : stage_(stage), name_(username) {
  client::ClientOptions options = stage.options(device.over);
  if (device.port != 0) options.endpoints = {endpoint_at(device.over, device.port)};
  options.credentials = device.credentials;
  options.device_name = username + "'s device";
  options.sends_ahead_max = device.sends_ahead;
  options.outbox_messages_max = 10'000;
  if (device.saved) REQUIRE(store_.save(*device.saved));
  client_ = std::make_unique<client::Client>(stage.runtime(), options, *this, &store_);
  client_->start();
}

Person::~Person() { client_.reset(); }

client::Reply Person::reply_to(v1::ClientFrame frame) {
  const auto reply = std::make_shared<std::optional<client::Reply>>();  // outlives a test that fails meanwhile
  client_->request(std::move(frame), [reply](const client::Reply& came) { *reply = came; });
  stage_.until("an answer", [&] { return reply->has_value(); });
  return std::move(**reply);
}

v1::ServerFrame Person::ask(v1::ClientFrame frame) {
  const std::string asked = frame.ShortDebugString().substr(0, 200);
  const client::Reply reply = reply_to(std::move(frame));
  INFO(asked << " -> " << (reply.failure ? reply.failure->str() : ""));
  REQUIRE(reply.ok());
  return reply.frame;
}

v1::ErrorCode Person::refused(v1::ClientFrame frame) {
  const std::string asked = frame.ShortDebugString().substr(0, 200);
  const client::Reply reply = reply_to(std::move(frame));
  INFO(asked << " -> " << reply.frame.ShortDebugString());
  REQUIRE_FALSE(reply.ok());
  INFO(reply.failure->str());
  REQUIRE(reply.failure->cause == client::Failure::Cause::refused);
  return reply.failure->code;
}

std::uint64_t Person::say(const ConversationId& conversation, const std::string& body) {
  const auto result = std::make_shared<std::optional<client::SendResult>>();
  REQUIRE(client_->send(conversation, body, [result](const client::SendResult& sent) { *result = sent; }));
  stage_.until("an acknowledgement", [&] { return result->has_value(); });
  INFO(((*result)->failure ? (*result)->failure->str() : ""));
  REQUIRE((*result)->ok());
  return (*result)->number;
}

void Person::mutter(const ConversationId& conversation, const std::string& body) {
  REQUIRE(client_->send(conversation, body, [this](const client::SendResult& sent) {
    if (sent.failure && sent.failure->cause == client::Failure::Cause::closed) return;
    INFO((sent.failure ? sent.failure->str() : ""));
    REQUIRE(sent.ok());
    ++acknowledged_;
  }));
}

ConversationId Person::direct_with(const Person& other) {
  const auto opened = ask(client::ask::open_direct(other.id()));
  return *ConversationId::from_bytes(opened.conversation().conversation_id());
}

void Person::on_change(const v1::InboxItem& item) {
  REQUIRE(item.position() > last_position_);
  last_position_ = item.position();
  auto& known = changes_[*ConversationId::from_bytes(item.conversation_id())];
  const std::uint64_t number = item.change().number();
  INFO(name_ << " hears number " << number);
  if (!known.empty()) REQUIRE(number == known.rbegin()->first + 1);
  known.emplace(number, item.change());
}

std::uint64_t Person::newest(const ConversationId& conversation) const {
  const auto at = changes_.find(conversation);
  return at == changes_.end() || at->second.empty() ? 0 : at->second.rbegin()->first;
}

const v1::Change& Person::hears(const ConversationId& conversation, std::uint64_t number) {
  stage_.until("a change in the inbox", [&] { return newest(conversation) >= number; });
  const auto at = changes_[conversation].find(number);
  REQUIRE(at != changes_[conversation].end());
  return at->second;
}

std::vector<std::string> Person::said_by(const ConversationId& conversation, const UserId& author) {
  std::vector<std::string> bodies;
  for (const auto& [number, change] : changes_[conversation])
    if (change.has_posted() && change.author() == author.bytes()) bodies.push_back(change.posted().body());
  return bodies;
}

}  // namespace holdfast::testing
