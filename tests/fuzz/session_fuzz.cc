// links: clients_cpp server_chat server_gateway
// sources: tests/fuzz/world.cc tests/support/fake_backend.cc tests/support/rule_fixture.cc
// A connection's bytes from the first to the last, through decoder, session, flows and rules: every request has at most
// one answer, nothing follows the frame that ends it, and no bytes bring it down.
//
//     input = *frame          ; as on the wire; log-ins may be shortened as World says
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "proto/frame.h"
#include "server/gateway/session.h"
#include "tests/fuzz/world.h"

namespace holdfast {
namespace {

using gateway::Session;

class NoAttachments final : public chat::Attachments {
 public:
  void attach(const chat::Attach&) override { ++attached; }
  void detach(const UserId&, chat::ConnectionRef) override { --attached; }
  void give_credit(const UserId&, chat::ConnectionRef, std::uint64_t) override {}
  void watch_presence(chat::ConnectionRef, const std::vector<UserId>&) override {}
  SteadyTime confirmed_at(PartitionId) const override { return SteadyTime::max(); }
  int attached = 0;
};

/// Runs requests when it is told to, as the world would.
class Host final : public gateway::SessionHost {
 public:
  explicit Host(fuzz::World& world) : world_(world) {}
  void run(std::uint64_t, gateway::Ticket ticket, chat::Caller caller, v1::ClientFrame request) override {
    chat::run_request(
        world_.backend(), std::move(caller), std::move(request),
        [this, ticket](chat::RequestOutcome outcome) {
          fuzz::check_answer(outcome.frame);
          outcomes.emplace_back(ticket, std::move(outcome));
        },
        [this](const v1::ServerFrame& frame) { session->on_push(frame); });
  }
  void keep(std::uint64_t, UserId, SessionId) override {}
  PartitionId partition_of_user(const UserId& user) const override {
    return partition_of(user, world_.backend().partitions());
  }
  WallTime wall_now() const override { return world_.backend().now(); }

  Session* session = nullptr;
  std::deque<std::pair<gateway::Ticket, chat::RequestOutcome>> outcomes;

 private:
  fuzz::World& world_;
};

class Connection {
 public:
  Connection() : host_(world_) { host_.session = &session_; }
  ~Connection() {
    settle();
    session_.leave();
    HF_CHECK(attachments_.attached == 0, "who was attached is detached");
  }

  void receive(std::string_view stream) {
    while (session_.can_take(now_)) {
      const auto payload = decoder_.next(stream);
      if (!payload) session_.on_broken_framing(payload.error());
      if (!payload || !*payload) break;
      take(**payload);
      if (!session_.can_take(now_) || ++taken_ % 3 == 0) settle();
    }
  }

 private:
  void take(std::string_view payload) {
    v1::ClientFrame frame;
    std::string expanded;
    if (frame.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
      world_.expand(frame);
      frame.SerializeToString(&expanded);
      if (frame.request_id() != 0) ++asked_[frame.request_id()];
      payload = expanded;
    }
    session_.on_frame(payload, now_);
  }

  /// Answers everything, and reads what was written.
  void settle() {
    world_.backend().settle();
    while (!host_.outcomes.empty()) {
      auto [ticket, outcome] = std::move(host_.outcomes.front());
      host_.outcomes.pop_front();
      session_.on_outcome(ticket, std::move(outcome), now_);
    }
    now_ += std::chrono::milliseconds(100);
    session_.tick(now_);
    auto& outbox = session_.outbox();
    while (!outbox.empty()) {
      v1::ServerFrame frame;
      HF_CHECK(frame.ParseFromString(std::string(outbox.front())), "what we send parses");
      HF_CHECK(!ended_, "nothing follows the last frame");
      if (frame.request_id() != 0) HF_CHECK(asked_[frame.request_id()]-- > 0, "an answer for each request, no more");
      const bool about_all = frame.request_id() == 0 && frame.has_error();
      ended_ = frame.has_goodbye() || frame.has_session_ended() || about_all;
      outbox.took_front();
    }
    session_.settle_credit();
    HF_CHECK(!ended_ || session_.is_over(), "who said good-bye is over");
  }

  fuzz::World world_;
  NoAttachments attachments_;
  Host host_;
  gateway::SessionOptions options_;
  gateway::Rates rates_{20'000, 64 << 20, 10'000};
  gateway::Admission admission_{{.connections_max = 10, .operator_key = "key", .limits = {}}};
  gateway::SessionCounters counters_;
  SteadyTime now_{std::chrono::hours(1)};
  Session session_{{options_, rates_, host_, attachments_, admission_, counters_}, {0, 1}, "192.0.2.1", now_};
  FrameDecoder decoder_;
  std::map<std::uint64_t, int> asked_;
  int taken_ = 0;
  bool ended_ = false;
};

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::Connection connection;
  connection.receive({reinterpret_cast<const char*>(data), size});
  return 0;
}
