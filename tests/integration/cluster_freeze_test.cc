/// A frozen node is taken for dead; when it wakes up it does not know what happened, and must not pretend to.
#include <catch2/catch.hpp>

#include "tests/integration/cluster_crowd.h"
#include "tests/integration/raw_client.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::ClusterProcess;
using testing::Crowd;
using testing::fresh_name;
using testing::post_frame;
using testing::RawClient;

/// By then a revoked session is refused on every node, also on one that slept meanwhile.
constexpr std::chrono::milliseconds kRevocationKnown{1'000};

/// Sends it now; the answer, if any comes, is read later.
struct Asked {
  Asked(RawClient& by, v1::ClientFrame frame) : client(by), id(by.next_request_id()) {
    frame.set_request_id(id);
    if (frame.has_post()) frame.set_idempotency_id(testing::fresh_id());
    client.send(frame);
  }
  std::optional<v1::ServerFrame> answer() {
    for (;;) {
      auto frame = client.read_frame_or_end();
      if (!frame || frame->request_id() == id) return frame;
    }
  }
  RawClient& client;
  const std::uint64_t id;
};

bool is_refusal(const std::optional<v1::ServerFrame>& answer) {
  return !answer || (answer->has_error() &&
                     (answer->error().code() == v1::RETRY || answer->error().code() == v1::UNKNOWN_OUTCOME));
}

/// Sends until the cluster takes it.
v1::ServerFrame insist(ClusterProcess& cluster, RawClient& client, const v1::ClientFrame& frame) {
  v1::ServerFrame answer;
  cluster.await("an answer that is not RETRY", [&] {
    answer = client.ask(frame);
    return !answer.has_error() || answer.error().code() != v1::RETRY;
  });
  return answer;
}

}  // namespace

TEST_CASE("Cluster freeze: a frozen node costs nothing, and what it says after waking up is not stale") {
  ClusterProcess cluster;
  Crowd crowd(cluster);
  const unsigned victim = (cluster.coordinator() + 1) % 3, other = (victim + 1) % 3;

  // A conversation, and a user, whose partition is led by the node that is going to be frozen.
  std::unique_ptr<RawClient> ada, bob;
  std::string talk;
  std::uint64_t number = 0;
  for (;;) {
    ada = std::make_unique<RawClient>(cluster.node(victim).port());
    bob = std::make_unique<RawClient>(cluster.node(other).port());
    ada->register_as(fresh_name("frozen"));
    bob->register_as(fresh_name("awake"));
    const auto opened = bob->ask(ask::open_direct(*UserId::from_bytes(ada->user_id)));
    talk = opened.conversation().conversation_id();
    number = opened.conversation().number();
    if (cluster.primary_of(partition_of(*UserId::from_bytes(ada->user_id), 8)) == victim &&
        cluster.primary_of(partition_of(*ConversationId::from_bytes(talk), 8)) == victim)
      break;
  }
  const auto id = *ConversationId::from_bytes(talk);
  RawClient resuming(cluster.node(victim).port());
  resuming.hello();
  // Another session of hers, to revoke the first one by.
  RawClient second(cluster.node(other).port());
  second.hello();
  v1::ClientFrame login;
  const std::string name = ada->ask(ask::get_account()).account().username();
  login.mutable_log_in()->set_username(name);
  login.mutable_log_in()->set_password(RawClient::kPassword);
  const auto session = second.ask(std::move(login));
  REQUIRE(session.has_session());

  crowd.talk(40);
  crowd.until_said(0.3);
  cluster.pause(victim);
  crowd.check_all_came();
  cluster.await_moved_from(victim);
  INFO("what happens while it is frozen");
  const auto said = insist(cluster, *bob, post_frame(talk, "said while you slept"));
  REQUIRE(said.has_change());
  CHECK(said.change().number() == number + 1);
  const auto revoked = insist(cluster, second, ask::revoke_device(*SessionId::from_bytes(ada->session_id)));
  REQUIRE_FALSE(revoked.has_error());
  for (const SteadyTime known = steady_now() + kRevocationKnown; steady_now() < known;) {
    crowd.talk(1);
    crowd.until_said(1);
  }

  // These lie in its sockets when it wakes up, and each was sent after the answers above.
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(ada->token);
  Asked stale_resume(resuming, std::move(resume));
  Asked stale_history(*ada, ask::history(id, {.from = 0}));
  Asked stale_post(*ada, post_frame(talk, "said by one who was asleep"));
  cluster.resume(victim);

  const auto resumed = stale_resume.answer();
  INFO((resumed ? resumed->ShortDebugString() : "closed"));
  CHECK((is_refusal(resumed) || resumed->error().code() == v1::SESSION_ENDED));
  const auto history = stale_history.answer();
  INFO((history ? history->ShortDebugString() : "closed"));
  CHECK((is_refusal(history) || history->has_error() || history->history().last_number() == number + 1));
  const auto posted = stale_post.answer();
  INFO((posted ? posted->ShortDebugString() : "closed"));
  CHECK((!posted || posted->has_error()));  // her session had been revoked a second before she sent it

  cluster.await_in_sync(3);
  const auto now = insist(cluster, *bob, ask::history(id, {.from = 0}));
  CHECK(now.history().last_number() == number + 1);
  crowd.talk(10);
  crowd.check_all_came();
}

}  // namespace holdfast
