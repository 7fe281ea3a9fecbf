/// A world for sessions: it records what they ask for and answers when the test says so.
#pragma once

#include <string>
#include <vector>

#include "proto/frame.h"
#include "server/gateway/session.h"

namespace holdfast::gateway {

class FakeAttachments final : public chat::Attachments {
 public:
  void attach(const chat::Attach& attach) override { attached.push_back(attach); }
  void detach(const UserId& user, chat::ConnectionRef) override { detached.push_back(user); }
  void give_credit(const UserId&, chat::ConnectionRef, std::uint64_t bytes) override { credit += bytes; }
  void watch_presence(chat::ConnectionRef, const std::vector<UserId>& users) override { watched = users; }
  SteadyTime confirmed_at(PartitionId) const override { return confirmed; }

  std::vector<chat::Attach> attached;
  std::vector<UserId> detached, watched;
  std::uint64_t credit = 0;
  SteadyTime confirmed = SteadyTime::max();
};

class FakeHost final : public SessionHost {
 public:
  struct Run {
    Ticket ticket;
    chat::Caller caller;
    v1::ClientFrame request;
  };
  void run(std::uint64_t, Ticket ticket, chat::Caller caller, v1::ClientFrame request) override {
    runs.push_back({ticket, std::move(caller), std::move(request)});
  }
  void keep(std::uint64_t, UserId, SessionId) override { ++kept; }
  PartitionId partition_of_user(const UserId&) const override { return PartitionId(7); }
  WallTime wall_now() const override { return wall; }
  std::vector<std::string> endpoints_of(const SessionId&) const override { return endpoints; }

  std::vector<Run> runs;
  std::vector<std::string> endpoints;
  int kept = 0;
  WallTime wall = from_ms(1'700'000'000'000);
};

/// Takes everything out of the outbox, as a socket would.
inline std::vector<v1::ServerFrame> take_frames(Session& session) {
  std::vector<v1::ServerFrame> frames;
  auto& outbox = session.outbox();
  while (!outbox.empty()) {
    HF_CHECK(frames.emplace_back().ParseFromString(std::string(outbox.front())), "what we send parses");
    outbox.took_front();
  }
  session.settle_credit();
  return frames;
}

}  // namespace holdfast::gateway
