// What holdfast-load is asked for: splitting, the plan on its way, the profile of a day.
#include <catch2/catch.hpp>
#include <set>

#include "tools/holdfast-load/plan.h"
#include "tools/holdfast-load/profile.h"
#include "tools/holdfast-load/splitting.h"

using namespace holdfast;
using namespace holdfast::load;

namespace {

constexpr const char* kWholeProfile = R"(
sessions = 500
body_bytes = 200
[rates]
messages = 100
group_messages = 2.5
reads = 3
typing = 4
history = 5
drop_outs = 6
log_ins = 0.5
[groups]
count = 7
members = 30
[drop_outs]
away_min_s = 2
away_max_s = 8
)";

std::string refusal(const std::string& text) {
  Plan plan;
  const auto status = read_profile(text, "day.toml", plan);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Errc::invalid_argument);
  return status.error().message;
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Share: the shares of a whole follow each other, differ by one at most, and leave nothing out") {
  for (const std::uint64_t total : {0u, 1u, 7u, 16'000u, 16'001u})
    for (const std::uint64_t of : {1u, 2u, 3u, 8u}) {
      std::uint64_t next = 0;
      for (std::uint64_t i = 0; i < of; ++i) {
        const auto range = Share{i, of}.range(total);
        CHECK(range.from == next);
        CHECK(range.size() >= total / of);
        CHECK(range.size() <= total / of + 1);
        next = range.to;
      }
      CHECK(next == total);
    }
}

TEST_CASE("Split: as many processes as the limit of open files asks for") {
  const Machine machine{.open_files_max = 20'000, .cores = 2};
  CHECK(split({.sessions = 100}, machine)->processes == 1);
  CHECK(split({.sessions = 16'000}, machine)->processes == 1);
  CHECK(split({.sessions = 20'000}, machine)->processes == 2);
  CHECK(split({.sessions = 100'000}, machine)->processes == 6);
}

TEST_CASE("Split: more cores are used, up to half of them") {
  const Machine machine{.open_files_max = 20'000, .cores = 8};
  CHECK(split({.sessions = 100}, machine)->processes == 1);
  CHECK(split({.sessions = 16'000}, machine)->processes == 4);
  CHECK(split({.sessions = 100, .rate = 50'000}, machine)->processes == 3);
}

TEST_CASE("Split: every process has addresses of its own, with ports for twice its sessions") {
  const Machine machine{.open_files_max = 20'000, .cores = 2, .ports = 28'232};
  const auto several = split({.sessions = 40'000, .loopback = true}, machine);
  REQUIRE(several);
  std::set<std::string> all;
  for (const auto& sources : several->sources) {
    CHECK(sources.size() * machine.ports / 2 >= 40'000 / several->processes);
    for (const auto& source : sources) CHECK(all.insert(source).second);
  }
  CHECK(all.count("127.0.0.1") == 0);
  CHECK(split({.sessions = 40'000}, machine)->sources.at(0).empty());
}

TEST_CASE("Split: processes that can't hold the sessions are refused, with how many could") {
  const auto few = split({.sessions = 50'000, .processes = 2}, {.open_files_max = 20'000, .cores = 2});
  REQUIRE_FALSE(few);
  CHECK(has(few.error().message, "need 3 processes"));
  CHECK(has(few.error().message, "ulimit -n"));
}

TEST_CASE("Split: live traffic beside a crowd has a process of its own, and all of it is shared out") {
  const auto divided = split({.sessions = 16'000, .live_sessions = 400}, {.open_files_max = 20'000, .cores = 2});
  REQUIRE(divided);
  CHECK(divided->processes == 2);
  CHECK(divided->sources.size() == 2);
  CHECK(divided->share(0).range(16'000).size() == 16'000);
  CHECK(divided->live_share(0).range(200).size() == 0);
  CHECK(divided->share(1).range(16'000).size() == 0);
  CHECK(divided->live_share(1).range(200).size() == 200);
  CHECK(split({.live_sessions = 400}, {.open_files_max = 20'000, .cores = 2})->processes == 2);

  const auto large = split({.sessions = 40'000, .live_sessions = 30'000}, {.open_files_max = 20'000, .cores = 2});
  CHECK(large->processes == 5);
  CHECK(large->live_processes == 2);
  std::uint64_t crowd = 0, live = 0;
  for (unsigned i = 0; i < large->processes; ++i) {
    crowd += large->share(i).range(40'000).size();
    live += large->live_share(i).range(15'000).size();
  }
  CHECK(crowd == 40'000);
  CHECK(live == 15'000);
}

TEST_CASE("Split: without live traffic of its own everybody has a part of both") {
  const auto divided = split({.sessions = 30'000}, {.open_files_max = 20'000, .cores = 2});
  CHECK(divided->live_share(1).range(10).size() == 5);
  CHECK(divided->share(1).range(10).size() == 5);
}

TEST_CASE("Plan: on its way from one process to another nothing is lost") {
  Plan plan;
  plan.scenario = "mix";
  plan.run = "0a1b2c3d";
  plan.servers = "holdfasts://localhost:7400";
  plan.sessions = 12'345;
  plan.fault = true;
  plan.mix.drop_outs = 0.25;
  plan.kind = "silent";
  const auto there = plan_from_json(plan_to_json(plan));
  REQUIRE(there);
  CHECK(plan_to_json(*there) == plan_to_json(plan));
  CHECK(there->mix.drop_outs == 0.25);
  CHECK(there->fault);
  CHECK(there->user_name(3) == "load-0a1b2c3d-3");
  CHECK_FALSE(plan_from_json("{\"scenario\":\"mix\"}"));
  CHECK_FALSE(plan_from_json("nonsense"));
}

TEST_CASE("Profile: every key finds its place") {
  Plan plan;
  REQUIRE(read_profile(kWholeProfile, "day.toml", plan));
  CHECK(plan.sessions == 500);
  CHECK(plan.body_bytes == 200);
  CHECK(plan.mix.messages == 100);
  CHECK(plan.mix.group_messages == 2.5);
  CHECK(plan.mix.reads == 3);
  CHECK(plan.mix.typing == 4);
  CHECK(plan.mix.history == 5);
  CHECK(plan.mix.drop_outs == 6);
  CHECK(plan.mix.log_ins == 0.5);
  CHECK(plan.groups == 7);
  CHECK(plan.group_members == 30);
  CHECK(plan.away_min_s == 2);
  CHECK(plan.away_max_s == 8);
}

TEST_CASE("Profile: a mistake is named with its line, its key and what is allowed") {
  CHECK(has(refusal("sessions = 10\n[rates]\nmesages = 5\n"), "day.toml:3: rates.mesages is not known"));
  CHECK(has(refusal("sessions = 1\n[rates]\nmessages = 5\n"), "day.toml:1: sessions is to be a whole number from 2"));
  CHECK(has(refusal("[rates]\nmessages = -1\n"), "rates.messages is to be a number from 0"));
  CHECK(has(refusal("[rates]\nmessages = \"many\"\n"), "rates.messages"));
  CHECK(has(refusal("rates = 5\n"), "rates is to be a table"));
  CHECK(has(refusal("[rates\n"), "day.toml:1"));
  CHECK(has(refusal("colour = 1\n[rates]\nmessages = 1\n"), "colour is not known"));
}

TEST_CASE("Profile: what does not go together is refused") {
  CHECK(has(refusal("sessions = 10\n"), "nothing is to happen"));
  CHECK(has(refusal("[rates]\ngroup_messages = 1\n"), "needs groups"));
  CHECK(has(refusal("sessions = 10\n[rates]\nmessages = 1\n[groups]\nmembers = 20\n"), "only 10 sessions"));
  CHECK(has(refusal("[rates]\nmessages = 1\n[drop_outs]\naway_min_s = 9\naway_max_s = 2\n"), "away_min_s is more"));
}
