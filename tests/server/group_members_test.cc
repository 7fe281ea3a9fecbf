// Who belongs to a group stays in memory, and what it says is never old.
#include <catch2/catch.hpp>

#include "server/partition.h"
#include "server/services/delivery.h"
#include "tests/server/chat_bench.h"

namespace holdfast {
namespace {

const ConversationId kGroup({9});

/// A group of the three, of which nothing is in memory.
struct WithGroup {
  WithGroup() {
    bench.open();
    state::Conversation group;
    group.set_kind(v1::GROUP);
    group.set_members(3);
    group.set_owner(kAlice.str());
    bench.store(keys::conversation(kGroup), group);
    add(kAlice, v1::OWNER);
    add(kBob, v1::MEMBER);
    add(kCarol, v1::MEMBER);
  }
  void add(const UserId& user, v1::Role role) {
    bench.user(user, {kPhone});
    state::MemberRow member;
    member.set_role(role);
    member.add_intervals()->set_joined(1);
    bench.store(keys::member(kGroup, user), member);
  }
  /// To whom the newest change went.
  std::vector<std::string> told() const {
    const auto& users = bench.commands.back().command.deliver().users();
    return {users.begin(), users.end()};
  }

  chat::Limits limits;
  services::Delivery delivery{limits};
  ChatBench bench{PartitionOptions{}, limits, {{&delivery, Seq(0)}}};
};

TEST_CASE("Partition: the members of a group are read for its first message, and not for the next") {
  WithGroup with;
  ChatBench& bench = with.bench;
  bench.ask(kAlice, requests::post(kGroup.str(), "one"));
  bench.run();
  REQUIRE(bench.commands.size() == 1);
  bench.ask(kAlice, requests::post(kGroup.str(), "two"));
  for (bench.turn(); bench.in_flight || !bench.rows_wanted.empty();)
    bench.in_flight ? bench.durable() : bench.load_rows();
  CHECK(bench.ranges_wanted.empty());
  REQUIRE(bench.commands.size() == 2);
  CHECK(with.told() == std::vector{kAlice.str(), kBob.str(), kCarol.str()});
}

TEST_CASE("Partition: who has left a group hears nothing of what is said after that") {
  WithGroup with;
  ChatBench& bench = with.bench;
  bench.ask(kAlice, requests::post(kGroup.str(), "one"));
  bench.run();
  bench.ask(kBob, requests::leave(kGroup.str()));
  bench.ask(kAlice, requests::post(kGroup.str(), "two"));
  bench.run();
  CHECK(with.told() == std::vector{kAlice.str(), kCarol.str()});
}

TEST_CASE("Partition: a group is not passed on to who left it in the same entry") {
  WithGroup with;
  ChatBench& bench = with.bench;
  bench.ask(kAlice, requests::post(kGroup.str(), "one"));
  bench.run();
  const std::size_t before = bench.entries.size();
  bench.ask(kBob, requests::leave(kGroup.str()));
  bench.ask(kAlice, requests::leave(kGroup.str()));
  bench.run();
  CHECK(bench.stored<state::Conversation>(keys::conversation(kGroup))->owner() == kCarol.str());
  CHECK(bench.entries.size() > before);
}

}  // namespace
}  // namespace holdfast
