#include "server/chat/sweep.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/fake_backend.h"

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

TEST_CASE("Sweep: an inbox keeps so many rows and so many days, for each user by itself") {
  RuleFixture partition;
  partition.limits.inbox_rows_max = 400;
  const auto fill = [&](const UserId& user, std::uint64_t rows, bool whole) {
    for (std::uint64_t n = 1; n <= rows; ++n) {
      v1::InboxItem item;
      if (whole && n % 2 == 0)
        item.mutable_change()->set_time_ms(to_ms(partition.now));
      else
        item.set_reference(n);
      partition.rows[keys::inbox(user, n)] = item.SerializeAsString();
    }
    state::Mailbox mailbox;
    mailbox.set_head(rows);
    mailbox.set_first(1);
    partition.rows[keys::mailbox(user)] = mailbox.SerializeAsString();
  };
  const auto first_of = [&](const UserId& user) {
    return partition.stored<state::Mailbox>(keys::mailbox(user))->first();
  };
  const UserId many = partition.fresh_user();
  const UserId old = partition.fresh_user();
  const UserId deleted = partition.fresh_user();
  fill(many, 1000, false);
  fill(old, 300, true);
  fill(deleted, 5, true);
  partition.rows.erase(keys::mailbox(deleted));
  sweep_family(partition, keys::Family::inbox);
  CHECK(first_of(many) == 601);
  CHECK_FALSE(partition.rows.contains(keys::inbox(many, 600)));
  CHECK(partition.rows.contains(keys::inbox(many, 601)));
  CHECK(first_of(old) == 1);
  CHECK(partition.rows.size() == 400 + 300 + 2);

  partition.now += 30 * kDay - hours(1);
  v1::InboxItem young;
  young.mutable_change()->set_time_ms(to_ms(partition.now));
  partition.rows[keys::inbox(old, 300)] = young.SerializeAsString();
  partition.now += hours(1);
  sweep_family(partition, keys::Family::inbox);
  CHECK(first_of(old) == 299);  // a reference, and the young one behind it
  CHECK(first_of(many) == 601);
  CHECK(partition.rows.size() == 400 + 2 + 2);
}

TEST_CASE("Sweep: a family that nobody sweeps is done at once") {
  RuleFixture partition;
  partition.rows[keys::name("anna")] = "";
  CHECK(sweep_family(partition, keys::Family::name) == 1);
  CHECK(partition.rows.size() == 1);
}
