#include "docs/examples/greeter.h"

#include <catch2/catch.hpp>

#include "tests/server/chat/play.h"

namespace holdfast::examples {
namespace {

using chat::Person;
using chat::Play;
using Words = std::vector<std::string>;

struct World {
  Play play;
  const Person greeter = play.person(), ann = play.person(), ben = play.person();
  const Greeter service{greeter.id};

  /// What the bus does with the last entry, `times` times over; how many commands it led to.
  std::size_t work_off(int times) {
    log::Entry entry;
    entry.set_seq(++seq_);
    entry.set_time_ms(to_ms(play.stage.now));
    for (const log::Write& write : play.stage.writes) *entry.add_writes() = write;
    for (const log::Event& event : play.stage.events) *entry.add_events() = event;
    std::size_t sent = 0;
    for (int i = 0; i < times; ++i)
      for (int event = 0; event < entry.events_size(); ++event) {
        chat::MapView view(play.stage.rows, nullptr);
        bus::Outcome outcome;
        service.on_event({PartitionId(0), 1, entry, static_cast<std::uint32_t>(event)}, view, outcome);
        for (const auto& [to, command] : outcome.commands) play.run(command);
        sent += outcome.commands.size();
      }
    return sent;
  }
  std::size_t adds(const ConversationId& where, const std::vector<Person>& members, int times = 1) {
    play.delivers = false;
    play.add(ann, where, members);
    return work_off(times);
  }
  Words said(const ConversationId& where) {
    Words bodies;
    for (const v1::Change& change : play.all_history(ann, where))
      if (change.has_posted()) bodies.push_back(change.posted().body());
    return bodies;
  }

 private:
  std::uint64_t seq_ = 0;
};

}  // namespace

TEST_CASE("The example of a service greets whoever is added, once, however often the event comes") {
  World world;
  const ConversationId club = world.play.group(world.ann, {world.greeter});
  CHECK(world.adds(club, {world.ben}, 3) == 3);
  CHECK(world.said(club) == Words{"Welcome!"});
  CHECK(world.adds(club, {world.play.person(), world.play.person()}) == 1);
  CHECK(world.said(club) == Words{"Welcome!", "Welcome, all of you!"});
}

TEST_CASE("The example of a service is silent where it is no member, and about everything else") {
  World world;
  const ConversationId others = world.play.group(world.ann, {});
  CHECK(world.adds(others, {world.ben}) == 0);
  const ConversationId club = world.play.group(world.ann, {world.greeter});
  world.play.say(world.ann, club, "anybody here?");
  CHECK(world.work_off(1) == 0);
}

}  // namespace holdfast::examples
