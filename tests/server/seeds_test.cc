/// Random doings of a few users under random seeds, with crashes in between. A failure names its seed.
#include <catch2/catch.hpp>

#include <cstdlib>

#include "tests/support/requests.h"
#include "tests/support/sim_world.h"

namespace holdfast {
namespace {

/// Swarm: every seed has its own mixture of bounds and dangers.
OneThreadOptions options_of(std::uint64_t seed) {
  SeededRandom random(seed * 7919);
  OneThreadOptions options;
  options.seed = seed;
  options.partitions = static_cast<std::uint16_t>(1 + random.below(5));
  options.doors = static_cast<std::uint16_t>(1 + random.below(3));
  options.state_lag = 1 + random.below(40);
  options.flush_every = random.below(3) == 0 ? 0 : 20 + random.below(200);
  options.log_keep_entries = random.below(3);
  options.partition.cache_bytes = random.below(2) == 0 ? 0 : 4u << 20;
  options.partition.entry_commands_max = 1 + random.below(8);
  options.partition.waiting_max = 4 + random.below(100);
  options.partition.feed.entries_max = 1 + random.below(5);
  options.partition.feed.events_under_way = 1 + random.below(5);
  options.limits.token_age_max = std::chrono::hours(0);
  options.limits.large_group_above = options.limits.large_group_back_at = 2 + random.below(4);
  options.limits.inbox_trim_rows = 2 + random.below(20);
  options.limits.whole_bytes_max = random.below(2) == 0 ? 10 : 1024;
  return options;
}

class Doings {
 public:
  explicit Doings(std::uint64_t seed) : world_(options_of(seed)), random_(seed) {
    const std::size_t users = 2 + random_.below(4);
    for (std::size_t i = 0; i < users; ++i) {
      const std::uint64_t credit = random_.below(2) == 0 ? 100 + random_.below(400) : 64 << 10;
      world_.add_client({.username = "user" + std::to_string(i), .door = door(), .credit_bytes = credit});
    }
    world_.settle();
    for (std::size_t i = 0; i < users; i += 2)
      world_.add_client(
          {.username = "user" + std::to_string(i), .device = "second", .door = door(), .registers = false});
    world_.settle();
  }

  std::vector<std::string> run() {
    const bool dangerous = random_.below(4) != 0;
    for (int i = 0; i < 60; ++i) {
      if (dangerous && random_.below(12) == 0) danger();
      do_something(world_.client(random_.below(world_.clients())));
      for (std::uint64_t steps = random_.below(60); steps > 0; --steps) world_.step();
      learn_conversations();
    }
    for (std::size_t i = 0; i < world_.clients(); ++i) {
      world_.client(i).come_back();
      world_.client(i).hold_reading(false);
    }
    world_.node().set_pressure(Partition::Pressure::none);
    auto found = world_.verdict();
    for (std::size_t i = 0; i < world_.clients(); ++i)
      if (world_.client(i).logins() != 1) found.push_back("a password was asked for again");
    return found;
  }
  std::uint64_t deaths() const { return world_.deaths(); }

 private:
  std::uint16_t door() { return static_cast<std::uint16_t>(random_.below(world_.node().options().doors)); }

  void danger() {
    switch (random_.below(4)) {
      case 0: return world_.kill();
      case 1:
        return world_.node().set_pressure(random_.below(2) == 0 ? Partition::Pressure::none
                                                                : Partition::Pressure::storage_full);
      default:
        return world_.node().limit().set(1 + random_.below(20),
                                         random_.below(2) == 0 ? WriteLimit::When::before : WriteLimit::When::after);
    }
  }

  void do_something(SimClient& client) {
    const UserId other = world_.client(random_.below(world_.clients())).user();
    const std::string where = conversations_.empty() ? "" : conversations_[random_.below(conversations_.size())];
    const std::uint64_t what = random_.below(where.empty() ? 2 : 24);
    if (client.ended()) return;
    if (client.user().is_zero()) return;
    if (what == 0 && other != client.user()) return note(client, client.ask(requests::open_direct(other)));
    if (what == 1) return note(client, client.ask(requests::create_group("group", {other})));
    if (where.empty()) return;
    const std::uint64_t number = 1 + random_.below(20);
    switch (what) {
      case 2: client.ask(requests::edit(where, number, "edited")); return;
      case 3: client.ask(requests::remove(where, number)); return;
      case 4: client.ask(requests::react(where, number, "+1")); return;
      case 5: client.ask(requests::add_member(where, other)); return;
      case 6: client.ask(requests::remove_member(where, other)); return;
      case 7: client.ask(requests::leave(where)); return;
      case 8: client.ask(requests::set_role(where, other, random_.below(2) == 0 ? v1::ADMIN : v1::OWNER)); return;
      case 9: client.ask(requests::mark(where, number)); return;
      case 10: client.ask(requests::block(other, random_.below(2) == 0)); return;
      case 11: client.ask(requests::history(where, number, 10)); return;
      case 12: client.ask(requests::typing(where)); return;
      case 13: client.leave(); return;
      case 14: client.come_back(); return;
      case 15: client.hold_reading(random_.below(2) == 0); return;
      case 17:
        if (random_.below(6) == 0) client.ask(requests::delete_account("correct horse"));
        return;
      case 18:
        if (random_.below(3) == 0)
          client.ask(requests::revoke(world_.client(random_.below(world_.clients())).session()));
        return;
      case 16: world_.node().advance(std::chrono::milliseconds(random_.below(5000))); return;
      default:
        for (std::uint64_t posts = 1 + random_.below(4); posts > 0; --posts)
          client.ask(requests::post(where, std::string(1 + random_.below(300), 'x')));
    }
  }

  void note(SimClient& client, std::size_t request) { opening_.emplace_back(&client, request); }
  void learn_conversations() {
    std::erase_if(opening_, [&](const auto& opening) {
      const v1::ServerFrame* answer = opening.first->answer(opening.second);
      if (answer && answer->has_conversation()) conversations_.push_back(answer->conversation().conversation_id());
      return answer != nullptr;
    });
  }

  SimWorld world_;
  SeededRandom random_;
  std::vector<std::string> conversations_;
  std::vector<std::pair<SimClient*, std::size_t>> opening_;
};

TEST_CASE("Random doings under random crashes: the history holds, for every seed") {
  const char* one = std::getenv("HOLDFAST_SEED");  // one seed again, or so many of them
  const char* many = std::getenv("HOLDFAST_SEEDS");
  const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t last = one ? first : many ? std::strtoull(many, nullptr, 10) : 400;
  std::uint64_t deaths = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    INFO("HOLDFAST_SEED=" << seed);
    Doings doings(seed);
    REQUIRE(doings.run() == std::vector<std::string>{});
    deaths += doings.deaths();
  }
  CHECK((one || deaths > last / 2));
}

}  // namespace
}  // namespace holdfast
