#include "server/chat/sweep.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/server/chat/fake_backend.h"

using namespace holdfast;
using namespace holdfast::chat;
using std::chrono::hours;

namespace {

constexpr hours kDay{24};

/// One round over a family; how many commands it took.
int sweep_family(RuleFixture& partition, keys::Family family) {
  command::Command command;
  command.mutable_sweep()->set_family(static_cast<std::uint32_t>(family));
  for (int rounds = 1;; ++rounds) {
    const command::Answer answer = partition.run(command);
    if (answer.sweep_state().next_from().empty()) return rounds;
    command.mutable_sweep()->set_from(answer.sweep_state().next_from());
  }
}

}  // namespace

TEST_CASE("Sweep: ends what was unused for 60 days, also several of one user, and forgets it 60 days later") {
  FakeBackend backend;
  const Device device = new_user(backend, "anna");
  const UserId user = *device.caller.user;
  RuleFixture& home = backend.home(user);
  backend.run({}, login(backend, "anna", "correct horse"));
  backend.advance(30 * kDay);
  const RequestOutcome kept = backend.run({}, login(backend, "anna", "correct horse"));
  sweep_family(home, keys::Family::session);
  CHECK(home.stored<state::Account>(keys::account(user))->sessions_size() == 3);

  backend.advance(30 * kDay);
  sweep_family(home, keys::Family::session);
  const auto account = home.stored<state::Account>(keys::account(user));
  REQUIRE(account->sessions_size() == 1);
  CHECK(account->sessions(0) == kept.logged_in->session.bytes());
  CHECK(home.stored<state::Mailbox>(keys::mailbox(user))->cursors_size() == 1);
  CHECK(home.stored<state::Session>(keys::session(user, device.caller.session))->ended() == "unused for too long");
  CHECK(home.all_effects.size() == 2);

  backend.advance(60 * kDay);
  backend.run({}, login(backend, "anna", "correct horse"));
  sweep_family(home, keys::Family::session);
  CHECK_FALSE(home.rows.contains(keys::session(user, device.caller.session)));
}

TEST_CASE("Sweep: answers and client ids go once their id is refused as stale anyway, in stretches") {
  RuleFixture partition;
  const UserId user = partition.fresh_user();
  const auto conversation = partition.fresh<ConversationId>();
  for (int i = 0; i < 300; ++i) {
    partition.rows[keys::request(user.bytes(), user, partition.fresh_id())] = "";
    partition.rows[keys::client_id(conversation, user, partition.fresh_id())] = "";
  }
  partition.now += 7 * kDay;
  const std::string young = keys::request(user.bytes(), user, partition.fresh_id());
  partition.rows[young] = "";
  CHECK(sweep_family(partition, keys::Family::request) == 3);
  CHECK(partition.rows.size() == 601);
  partition.now += hours(1);
  sweep_family(partition, keys::Family::request);
  sweep_family(partition, keys::Family::client_id);
  CHECK(partition.rows.size() == 1);
  CHECK(partition.rows.contains(young));
}

TEST_CASE("Sweep: failed log-ins are forgotten an hour after the last") {
  FakeBackend backend;
  backend.run({}, login(backend, "nobody", "a wrong one"));
  const auto counted = [&] {
    std::size_t rows = 0;
    for (std::uint16_t p = 0; p < backend.partitions(); ++p) {
      sweep_family(backend.partition(PartitionId(p)), keys::Family::attempts);
      rows += backend.partition(PartitionId(p)).rows.size();
    }
    return rows;
  };
  CHECK(counted() == 1);
  backend.advance(hours(1));
  CHECK(counted() == 0);
}

TEST_CASE("Sweep: a family that nobody sweeps is done at once") {
  RuleFixture partition;
  partition.rows[keys::name("anna")] = "";
  CHECK(sweep_family(partition, keys::Family::name) == 1);
  CHECK(partition.rows.size() == 1);
}
