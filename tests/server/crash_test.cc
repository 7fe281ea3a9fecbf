/// One play, crashed at every write to either database, before and after it is done.
#include <catch2/catch.hpp>

#include <cstdlib>

#include "tests/support/requests.h"
#include "tests/support/sim_world.h"

namespace holdfast {
namespace {

using Found = std::vector<std::string>;

OneThreadOptions options_of(std::uint64_t seed) {
  OneThreadOptions options;
  options.seed = seed;
  options.flush_every = 60;
  options.limits.token_age_max = std::chrono::hours(0);  // every resume offers a new token
  options.limits.large_group_above = 3;
  options.limits.large_group_back_at = 3;
  options.limits.inbox_trim_rows = 8;
  return options;
}

/// All that people do, once. Whatever dies under it, it comes to the same end.
class Play {
 public:
  explicit Play(SimWorld& world)
      : world_(world),
        alice_(world.add_client({.username = "alice"})),
        bob_(world.add_client({.username = "bob", .door = 1})),
        carol_(world.add_client({.username = "carol", .credit_bytes = 256})),
        dave_(world.add_client({.username = "dave", .door = 1})) {}

  void run() {
    world_.settle();
    SimClient& laptop = world_.add_client({.username = "alice", .device = "laptop", .registers = false});
    SimClient& tablet = world_.add_client({.username = "bob", .device = "tablet", .registers = false});
    world_.settle();
    talk_directly();
    talk_in_a_group();
    block_and_unblock();
    replace_tokens();

    done(bob_, requests::change_password("correct horse", "battery staple"));
    world_.run_until([&] { return tablet.ended().has_value(); });
    done(alice_, requests::revoke(laptop.session()));
    world_.run_until([&] { return laptop.ended().has_value(); });
    tablet.log_in_again("battery staple");
    world_.settle();
    post(alice_, direct_, "to the new tablet");
    delete_carol();
    tablet.ask(requests::log_out());
    world_.run_until([&] { return tablet.ended().has_value(); });
    CHECK(laptop.logins() == 1);
    CHECK(tablet.logins() == 2);
    CHECK(*tablet.ended() == v1::SESSION_ENDED);
    for (SimClient* client : {&alice_, &bob_, &dave_}) {
      CHECK_FALSE(client->ended());
      CHECK(client->logins() == 1);  // no password after the first time
    }
  }

 private:
  v1::ServerFrame done(SimClient& client, v1::ClientFrame frame) {
    const v1::ServerFrame answer = world_.ask(client, std::move(frame));
    INFO(answer.ShortDebugString());
    CHECK_FALSE(answer.has_error());
    return answer;
  }
  std::uint64_t post(SimClient& client, const std::string& where, const std::string& body) {
    return done(client, requests::post(where, body)).change().number();
  }

  void talk_directly() {
    const std::size_t one = alice_.ask(requests::open_direct(bob_.user()));
    direct_ = done(bob_, requests::open_direct(alice_.user())).conversation().conversation_id();
    world_.run_until([&] { return alice_.answer(one) != nullptr; });
    REQUIRE(alice_.answer(one)->conversation().conversation_id() == direct_);
    for (int i = 0; i < 3; ++i) {
      alice_.ask(requests::post(direct_, "from alice " + std::to_string(i)));
      bob_.ask(requests::post(direct_, "from bob " + std::to_string(i)));
    }
    const std::uint64_t number = post(alice_, direct_, "speling");
    bob_.ask(requests::react(direct_, number, "+1"));
    done(alice_, requests::edit(direct_, number, "spelling"));
    alice_.ask(requests::mark(direct_, number));
    done(bob_, requests::mark(direct_, number));
    done(alice_, requests::remove(direct_, number));
    done(bob_, requests::mute(direct_, true));
  }

  void talk_in_a_group() {
    const auto made = done(alice_, requests::create_group("Garden", {bob_.user(), carol_.user()}));
    group_ = made.conversation().conversation_id();
    for (SimClient* client : {&alice_, &bob_, &carol_}) client->ask(requests::post(group_, "hello"));
    post(carol_, group_, std::string(2000, 'x'));              // too long to stand whole in inboxes
    done(alice_, requests::add_member(group_, dave_.user()));  // from now on a large group
    for (SimClient* client : {&alice_, &bob_, &carol_, &dave_}) client->ask(requests::post(group_, "many"));
    done(alice_, requests::set_role(group_, carol_.user(), v1::ADMIN));
    done(carol_, requests::rename_group(group_, "Jungle"));
    done(carol_, requests::remove_member(group_, dave_.user()));  // not large any more
    bob_.ask(requests::post(group_, "before I go"));
    done(bob_, requests::leave(group_));
    post(alice_, group_, "he is gone");
    done(alice_, requests::add_member(group_, bob_.user()));
    for (SimClient* client : {&alice_, &bob_, &carol_}) client->ask(requests::mark(group_, 3));
    done(dave_, requests::list_conversations());
  }

  void block_and_unblock() {
    done(alice_, requests::block(bob_.user(), true));
    post(bob_, direct_, "you do not see this");
    done(alice_, requests::block(bob_.user(), false));
    post(bob_, direct_, "you see this");
  }

  void replace_tokens() {
    world_.settle();
    for (int round = 0; round < 2; ++round) {
      world_.node().advance(std::chrono::hours(2));
      for (SimClient* client : {&alice_, &bob_, &dave_}) client->leave();
      for (SimClient* client : {&alice_, &bob_, &dave_}) client->come_back();
      world_.settle();
    }
    CHECK(alice_.tokens_replaced() >= 1);
  }

  void delete_carol() {
    const auto made = done(carol_, requests::create_group("Orphan", {bob_.user(), dave_.user()}));
    const std::string orphan = made.conversation().conversation_id();
    post(carol_, orphan, "mine no more");
    carol_.ask(requests::delete_account("correct horse"));
    world_.run_until([&] { return carol_.ended().has_value(); });
    post(bob_, orphan, "whose is it?");
    post(alice_, group_, "goodbye");
  }

  SimWorld& world_;
  SimClient& alice_;
  SimClient& bob_;
  SimClient& carol_;
  SimClient& dave_;
  std::string direct_, group_;
};

Found play(std::uint64_t seed, std::uint64_t crash_at, WriteLimit::When when, std::uint64_t crash_again_at = 0,
           std::uint64_t* writes = nullptr) {
  SimWorld world(options_of(seed));
  world.node().limit().set(crash_at, when);
  if (crash_again_at > 0)
    world.on_restart([&world, crash_again_at, when] {
      if (world.deaths() == 1) world.node().limit().set(crash_again_at, when);
    });
  Play(world).run();
  if (writes) *writes = world.node().limit().count();
  CHECK(world.deaths() >= (crash_at == WriteLimit::kNone ? 0 : 1));
  return world.verdict();
}

std::uint64_t writes_of(std::uint64_t seed) {
  std::uint64_t writes = 0;
  CHECK(play(seed, WriteLimit::kNone, WriteLimit::When::before, 0, &writes) == Found{});
  REQUIRE(writes > 100);
  return writes;
}

/// 1: every write. Sanitized builds, ten times slower, look for other faults and take every so many.
std::uint64_t stride() {
  const char* every = std::getenv("HOLDFAST_CRASH_EVERY");
  return every ? std::max<std::uint64_t>(1, std::strtoull(every, nullptr, 10)) : 1;
}

TEST_CASE("Crash at every write, before it is done: nothing acknowledged is lost, nothing is twice") {
  const std::uint64_t writes = writes_of(1);
  for (std::uint64_t n = 1; n <= writes; n += stride()) {
    INFO("write " << n << " of " << writes);
    REQUIRE(play(1, n, WriteLimit::When::before) == Found{});
  }
}

TEST_CASE("Crash at every write, when it is durable and nobody heard of it") {
  const std::uint64_t writes = writes_of(2);
  for (std::uint64_t n = 1; n <= writes; n += stride()) {
    INFO("write " << n << " of " << writes);
    REQUIRE(play(2, n, WriteLimit::When::after) == Found{});
  }
}

TEST_CASE("Crash at a write, and again at each of the first writes of the restart") {
  const std::uint64_t writes = writes_of(3);
  for (std::uint64_t n = 5; n <= writes; n += 17 * stride())
    for (std::uint64_t again = 1; again <= 8; ++again) {
      INFO("write " << n << " of " << writes << ", then write " << again);
      REQUIRE(play(3, n, again % 2 ? WriteLimit::When::before : WriteLimit::When::after, again) == Found{});
    }
}

}  // namespace
}  // namespace holdfast
