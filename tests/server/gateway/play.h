/// One session in a world of its own, with a made-up time.
#pragma once

#include <catch2/catch.hpp>
#include <optional>

#include "fakes.h"

namespace holdfast::gateway {

inline UserId user_id(std::uint8_t n) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[15] = n;
  return UserId(bytes);
}

/// One session in a world of its own.
struct Play {
  explicit Play(SessionOptions wanted = {}, Rates user = {20'000, 64 << 20, 10'000})
      : options(wanted), user_rates(user) {
    start();
  }

  void start() {
    session.emplace(SessionParts{options, user_rates, host, attachments, admission, counters},
                    chat::ConnectionRef{1, 42}, "192.0.2.1", now);
  }

  void send(const v1::ClientFrame& frame) {
    REQUIRE(session->can_take(now));
    session->on_frame(frame.SerializeAsString(), now);
  }
  void hello(std::uint32_t least = 1, std::uint32_t most = 1) {
    v1::ClientFrame frame;
    frame.set_request_id(1);
    frame.mutable_hello()->set_protocol_min(least);
    frame.mutable_hello()->set_protocol_max(most);
    send(frame);
  }
  void post(std::uint64_t request_id) {
    v1::ClientFrame frame;
    frame.set_request_id(request_id);
    frame.mutable_post()->set_body("hello");
    send(frame);
  }
  /// Answers the oldest request that is not answered yet.
  void answer(chat::RequestOutcome outcome = {}) {
    REQUIRE(!host.runs.empty());
    const auto ticket = host.runs.front().ticket;
    host.runs.erase(host.runs.begin());
    if (outcome.frame.content_case() == v1::ServerFrame::CONTENT_NOT_SET) outcome.frame.mutable_done();
    session->on_outcome(ticket, std::move(outcome), now);
  }
  void begin_login() {
    v1::ClientFrame frame;
    frame.set_request_id(2);
    frame.mutable_resume()->set_token("token");
    send(frame);
  }
  void log_in(std::uint64_t cursor = 0, std::uint64_t inbox_first = 0) {
    hello();
    begin_login();
    chat::RequestOutcome outcome;
    outcome.frame.mutable_session()->set_username("ann");
    outcome.logged_in = chat::LoggedIn{user_id(1), SessionId(), "ann", cursor, cursor, inbox_first};
    answer(std::move(outcome));
    take_frames(*session);
  }
  /// The one frame there is.
  v1::ServerFrame frame() {
    auto frames = take_frames(*session);
    REQUIRE(frames.size() == 1);
    return frames.front();
  }

  SessionOptions options;
  Rates user_rates;
  FakeHost host;
  FakeAttachments attachments;
  Admission admission{Admission::Options{100, "the operator key", {}}};
  SessionCounters counters;
  SteadyTime now{std::chrono::hours(1)};
  std::optional<Session> session;
};

inline v1::ClientFrame ping(std::uint64_t id) {
  v1::ClientFrame frame;
  frame.set_request_id(id);
  frame.mutable_ping();
  return frame;
}

inline std::string pushed(std::size_t bytes) {
  v1::ServerFrame frame;
  frame.mutable_inbox()->add_items()->mutable_change()->mutable_posted()->set_body(std::string(bytes, 'x'));
  return frame.SerializeAsString();
}

}  // namespace holdfast::gateway
