/// A machine, a clock that stands still until told, and a server that says what the test says.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/ask.h"
#include "clients/cpp/client_machine.h"
#include "proto/frame.h"

namespace holdfast::client::play {

using namespace std::chrono_literals;

inline ConversationId conversation(std::uint8_t n) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[15] = n;
  return ConversationId(bytes);
}

struct Heard final : ClientEvents {
  std::vector<std::string> log;
  std::vector<Reconnecting> reconnecting;
  std::vector<Moved> moved;
  std::vector<SendResult> sent;
  std::vector<Failure> ended;
  std::vector<v1::HistoryReset> resets;
  std::vector<v1::HistoryGap> gaps;

  void on_history_gap(const v1::HistoryGap& gap) override { gaps.push_back(gap); }
  void on_history_reset(const v1::HistoryReset& reset) override { resets.push_back(reset); }
  void on_connected(const SessionInfo& s) override { log.push_back("connected " + s.username); }
  void on_resumed(const SessionInfo& s) override { log.push_back("resumed " + s.username); }
  void on_reconnecting(const Reconnecting& r) override {
    log.push_back("reconnecting");
    reconnecting.push_back(r);
  }
  void on_moved(const Moved& m) override { moved.push_back(m); }
  void on_session_ended(const Failure& f) override {
    log.push_back("ended");
    ended.push_back(f);
  }
  void on_token(const std::string& token) override { log.push_back("token " + token); }
  void on_change(const v1::InboxItem& item) override {
    const auto& change = item.change();
    log.push_back(std::to_string(change.number()) + (change.has_hidden() ? " hidden" : " " + change.posted().body()));
  }
  void on_head(const v1::InboxItem& item) override { log.push_back("head " + std::to_string(item.head())); }
  void on_sent(const SendResult& result) override { sent.push_back(result); }
  void on_store_failed(const holdfast::Error&) override { log.push_back("store failed"); }
};

inline MachineOptions options_for(Credentials credentials) {
  MachineOptions options;
  options.endpoints = {{"one", 7400, false, false}};
  options.credentials = std::move(credentials);
  return options;
}

struct Play {
  explicit Play(MachineOptions options, SessionStore* store = nullptr, std::uint64_t seed = 1)
      : random(seed), machine(std::move(options), heard, random, store) {}

  SeededRandom random;
  Heard heard;
  ClientMachine machine;
  SteadyTime now = SteadyTime(1000s);
  std::int64_t server_ms = 1'700'000'000'000;

  /// What the client has written since the last call.
  std::vector<v1::ClientFrame> written() {
    machine.flush(now);
    std::vector<v1::ClientFrame> frames;
    FrameDecoder decoder;
    const std::string bytes = std::exchange(machine.output(), {});
    std::string_view rest = bytes;
    while (true) {
      auto payload = decoder.next(rest);
      REQUIRE(payload);
      if (!*payload) return frames;
      REQUIRE(frames.emplace_back().ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size())));
    }
  }
  /// The one frame that was written.
  v1::ClientFrame one() {
    auto frames = written();
    REQUIRE(frames.size() == 1);
    return frames[0];
  }

  void say(const v1::ServerFrame& frame) { machine.receive(now, frame.SerializeAsString()); }
  void answer_change(std::uint64_t request_id, std::uint64_t number) {
    v1::ServerFrame frame;
    frame.set_request_id(request_id);
    frame.mutable_change()->set_number(number);
    say(frame);
  }
  void answer_error(std::uint64_t request_id, v1::ErrorCode code, std::uint64_t retry_after_ms = 0) {
    v1::ServerFrame frame;
    frame.set_request_id(request_id);
    frame.mutable_error()->set_code(code);
    frame.mutable_error()->set_retry_after_ms(retry_after_ms);
    say(frame);
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    machine.tick(now);
  }
  /// Lets time pass up to the machine's next deadline.
  void pass_to_deadline() {
    REQUIRE(machine.next_deadline() != SteadyTime::max());
    now = std::max(now, machine.next_deadline());
    machine.tick(now);
  }

  void answer_hello(std::uint64_t request_id) {
    v1::ServerFrame hello;
    hello.set_request_id(request_id);
    hello.mutable_hello()->set_protocol(1);
    hello.mutable_hello()->set_server_time_ms(server_ms);
    hello.mutable_hello()->set_keepalive_s(30);
    say(hello);
  }
  static v1::ServerFrame session(std::uint64_t request_id, std::string token, std::uint64_t cursor) {
    v1::ServerFrame frame;
    frame.set_request_id(request_id);
    auto& session = *frame.mutable_session();
    session.set_user_id(std::string(16, 'u'));
    session.set_session_id(std::string(16, 's'));
    session.set_token(std::move(token));
    session.set_cursor(cursor);
    session.set_inbox_head(1'000'000);
    session.set_username("ada");
    return frame;
  }
  /// Connects (the machine wishes to) and logs in by password.
  void log_in() {
    REQUIRE(machine.take_wish().open);
    machine.connection_open(now);
    answer_hello(one().request_id());
    const auto login = one();
    REQUIRE(login.has_log_in());
    say(session(login.request_id(), "t1", 0));
    REQUIRE(machine.online());
  }
  /// The connection goes; the machine waits, connects again and resumes. What it asked the resume with.
  v1::Resume reconnect() {
    machine.connection_lost(now, "cut");
    pass_to_deadline();
    return resume();
  }
  v1::Resume resume() {
    REQUIRE(machine.take_wish().open);
    machine.connection_open(now);
    const auto frames = written();
    REQUIRE(frames.size() == 2);
    REQUIRE(frames[1].has_resume());
    answer_hello(frames[0].request_id());
    say(session(frames[1].request_id(), "", frames[1].resume().cursor()));
    REQUIRE(machine.online());
    return frames[1].resume();
  }
  Status post(std::uint8_t to, std::string body, SendCallback done = {}) {
    auto frame = ask::post(conversation(to), std::move(body));
    return machine.send(now, frame, std::move(done));
  }
  static v1::InboxItem item(std::uint64_t position, std::uint64_t number, std::string body) {
    v1::InboxItem item;
    item.set_position(position);
    item.set_conversation_id(conversation(1).str());
    item.mutable_change()->set_number(number);
    item.mutable_change()->mutable_posted()->set_body(std::move(body));
    return item;
  }
  static v1::InboxItem reference(std::uint64_t position, std::uint64_t number) {
    v1::InboxItem item;
    item.set_position(position);
    item.set_conversation_id(conversation(1).str());
    item.set_reference(number);
    return item;
  }
  void push(const std::vector<v1::InboxItem>& items) {
    v1::ServerFrame frame;
    for (const auto& item : items) *frame.mutable_inbox()->add_items() = item;
    say(frame);
  }
};

}  // namespace holdfast::client::play
