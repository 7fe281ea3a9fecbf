/// Any node takes any client: messages, sessions and tokens are the cluster's, not a node's.
#include <catch2/catch.hpp>
#include <set>

#include "tests/integration/cluster_crowd.h"
#include "tests/integration/raw_client.h"
#include "tests/support/http_get.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
using testing::ClusterProcess;
using testing::Crowd;
using testing::fresh_name;
using testing::metric;
using testing::Person;
using testing::post_frame;
using testing::RawClient;

v1::ClientFrame resume_with(const std::string& token, std::uint64_t cursor = 0) {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_token(token);
  frame.mutable_resume()->set_cursor(cursor);
  return frame;
}

/// Resumes, asking again while the cluster says RETRY; the last answer.
v1::ServerFrame resume_at(ClusterProcess& cluster, unsigned node, const std::string& token) {
  v1::ServerFrame answer;
  cluster.await("an answer that is not RETRY", [&] {
    RawClient client(cluster.node(node).port());
    client.hello();
    answer = client.ask(resume_with(token));
    return !answer.has_error() || answer.error().code() != v1::RETRY;
  });
  return answer;
}

/// For the tests that leave it as they found it.
ClusterProcess& shared_cluster() {
  static ClusterProcess cluster;
  return cluster;
}

void talk_across_nodes(ClusterProcess& cluster) {
  RawClient ada(cluster.node(0).port()), bob(cluster.node(1).port()), cem(cluster.node(2).port());
  for (RawClient* one : {&ada, &bob, &cem}) one->register_as(fresh_name("across"));
  const auto group =
      ada.ask(ask::create_group("three nodes", {*UserId::from_bytes(bob.user_id), *UserId::from_bytes(cem.user_id)}));
  const std::string talk = group.conversation().conversation_id();
  std::uint64_t number = group.conversation().number();
  for (RawClient* speaker : {&ada, &bob, &cem}) {
    const auto said = speaker->ask(post_frame(talk, "heard everywhere"));
    INFO(said.ShortDebugString());
    CHECK(said.change().number() == ++number);
    for (RawClient* listener : {&ada, &bob, &cem})
      CHECK(listener->await_change(talk, number).posted().body() == "heard everywhere");
  }
}

std::set<std::uint32_t> ports_in(const v1::ServerFrame& session) {
  std::set<std::uint32_t> ports;
  for (const auto& endpoint : session.session().endpoints()) {
    const std::string& address = endpoint.address();
    ports.insert(static_cast<std::uint32_t>(std::stoul(address.substr(address.rfind(':') + 1))));
  }
  return ports;
}

}  // namespace

TEST_CASE("Cluster: people on three nodes hear each other, and each session is told of all nodes") {
  ClusterProcess& cluster = shared_cluster();
  talk_across_nodes(cluster);
  const auto known = cluster.ports();
  for (unsigned i = 0; i < 3; ++i) {
    RawClient first(cluster.node(i).port());
    first.register_as(fresh_name("told"));
    const auto session = resume_at(cluster, i, first.token);
    INFO(session.ShortDebugString());
    REQUIRE(session.has_session());
    CHECK(ports_in(session) == std::set<std::uint32_t>(known.begin(), known.end()));
  }
  INFO("partitions are led by all of them");
  for (unsigned i = 0; i < 3; ++i) CHECK(!cluster.led_by(i).empty());
}

TEST_CASE("Cluster: a token that one node signs is believed at all, also after the key was rotated at one") {
  ClusterProcess& cluster = shared_cluster();
  RawClient before(cluster.node(0).port());
  before.register_as(fresh_name("before"));
  RawClient rotating(cluster.node(1).port());
  rotating.hello();
  v1::ClientFrame as_operator;
  as_operator.mutable_operator_log_in()->set_key(cluster.node(1).operator_key());
  REQUIRE_FALSE(rotating.ask(std::move(as_operator)).has_error());
  const auto rotated = rotating.ask(ask::rotate_token_key());
  INFO(rotated.ShortDebugString());
  REQUIRE_FALSE(rotated.has_error());
  RawClient after(cluster.node(1).port());
  after.register_as(fresh_name("after"));
  for (unsigned i = 0; i < 3; ++i) {
    CHECK(resume_at(cluster, i, before.token).has_session());
    // Another node reads the new key from the store a moment after it was told that something changed.
    cluster.await("the new key is known", [&] { return resume_at(cluster, i, after.token).has_session(); });
  }
}

TEST_CASE("Cluster: a revoked session is refused at every node, and its live connection ends") {
  ClusterProcess& cluster = shared_cluster();
  const std::string name = fresh_name("revoked");
  RawClient keeper(cluster.node(0).port());
  keeper.register_as(name);
  RawClient lost(cluster.node(2).port());
  lost.hello();
  v1::ClientFrame login;
  login.mutable_log_in()->set_username(name);
  login.mutable_log_in()->set_password(RawClient::kPassword);
  const auto session = lost.ask(std::move(login)).session();
  const auto revoked = keeper.ask(ask::revoke_device(*SessionId::from_bytes(session.session_id())));
  REQUIRE_FALSE(revoked.has_error());
  const auto acknowledged = steady_now();
  for (unsigned i = 0; i < 3; ++i) {
    const auto answer = resume_at(cluster, i, session.token());
    INFO(answer.ShortDebugString());
    CHECK(answer.error().code() == v1::SESSION_ENDED);
  }
  const auto last = lost.await_push([](const v1::ServerFrame& frame) { return frame.has_session_ended(); });
  CHECK(last.session_ended().code() == v1::SESSION_ENDED);
  CHECK(steady_now() - acknowledged < std::chrono::seconds(1));
  CHECK(resume_at(cluster, 1, keeper.token).has_session());
}

TEST_CASE(
    "Cluster: a session revoked while the primary of its partition is killed is refused at every node once that is "
    "said") {
  ClusterProcess& cluster = shared_cluster();
  const std::string name = fresh_name("revoked");
  RawClient owner(cluster.node(0).port());
  owner.register_as(name);
  const PartitionId home = partition_of(*UserId::from_bytes(owner.user_id), 8);
  const unsigned primary = cluster.primary_of(home);
  const unsigned elsewhere = (primary + 1) % 3;
  RawClient other(cluster.node(elsewhere).port());
  other.hello();
  v1::ClientFrame login;
  login.mutable_log_in()->set_username(name);
  login.mutable_log_in()->set_password(RawClient::kPassword);
  const auto session = other.ask(std::move(login)).session();
  RawClient revoking(cluster.node(elsewhere).port());
  revoking.hello();
  REQUIRE(revoking.ask(resume_with(session.token())).has_session());
  auto revoke = ask::revoke_device(*SessionId::from_bytes(owner.session_id));
  revoke.set_request_id(revoking.next_request_id());
  revoke.set_idempotency_id(testing::fresh_id());
  revoking.send(revoke);
  cluster.node(primary).kill_hard();
  v1::ServerFrame answer;
  do {
    answer = revoking.read_frame();
  } while (answer.request_id() != revoke.request_id());
  while (answer.has_error() && answer.error().code() == v1::RETRY) answer = revoking.ask(revoke);
  INFO(answer.ShortDebugString());
  REQUIRE_FALSE(answer.has_error());
  for (unsigned i = 0; i < 3; ++i) {
    if (i == primary) continue;
    const auto refused = resume_at(cluster, i, owner.token);
    INFO(refused.ShortDebugString());
    CHECK(refused.error().code() == v1::SESSION_ENDED);
    CHECK(resume_at(cluster, i, session.token()).has_session());
  }
  cluster.node(primary).start();
  cluster.await_in_sync(3);
}

TEST_CASE("Cluster: nodes without TLS between them, where that is allowed") {
  ClusterProcess cluster({.plaintext = true});
  talk_across_nodes(cluster);
}

}  // namespace holdfast
