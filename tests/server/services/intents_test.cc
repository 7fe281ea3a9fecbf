#include "server/services/intents.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/rule_fixture.h"

namespace holdfast::services {
namespace {

using chat::RuleFixture;
using std::chrono::seconds;
using Done = command::IntentDone;

/// A user with one intent in a partition of its own.
struct Begun : RuleFixture {
  UserId user = fresh_user();
  IntentId id = fresh<IntentId>();

  Begun() {
    rows[keys::account(user)] = state::Account().SerializeAsString();
    const chat::Context context{now, PartitionId(0), 1, limits};
    chat::Draft draft;
    state::Mail mail;
    mail.set_template_("password_changed");
    mail.set_to("anna@inbox.test");
    add_intent(context, {user, id, now + seconds(10), now + std::chrono::hours(1), mail}, draft);
    for (const log::Write& write : draft.writes) rows[write.key()] = write.put();
  }

  std::optional<state::Intent> intent() const { return stored<state::Intent>(keys::intent(user, id)); }
  std::vector<std::string> timers() const {
    std::vector<std::string> found;
    for (const auto& [key, value] : rows)
      if (static_cast<keys::Family>(key.front()) == keys::Family::due) found.push_back(key);
    return found;
  }
  /// Runs the one timer that there is; true: the intent was begun.
  bool run_timer() {
    REQUIRE(timers().size() == 1);
    command::Command command;
    command.mutable_run_due()->set_key(timers().front());
    run(command);
    return effects.size() == 1 && std::holds_alternative<chat::BeginIntent>(effects.front());
  }
  void done(Done::Outcome outcome, std::uint32_t code = 0) {
    command::Command command;
    command.set_user(user.str());
    command.mutable_intent_done()->set_intent(id.str());
    command.mutable_intent_done()->set_outcome(outcome);
    command.mutable_intent_done()->set_code(code);
    run(command);
  }
  log::IntentEnded::Outcome ended() const {
    REQUIRE(events.size() == 1);
    REQUIRE(events.front().has_intent_ended());
    return events.front().intent_ended().outcome();
  }
};

}  // namespace

TEST_CASE("Intents: begun when due, under their id, and gone when done, with an event that says so") {
  Begun world;
  world.now += seconds(10);
  REQUIRE(world.run_timer());
  CHECK(std::get<chat::BeginIntent>(world.effects.front()).id == world.id);
  CHECK(world.intent()->begun());
  world.done(Done::DONE, 250);
  CHECK(world.ended() == log::IntentEnded::DONE);
  CHECK(world.events.front().intent_ended().code() == 250);
  CHECK_FALSE(world.intent());
  CHECK(world.timers().empty());
  world.done(Done::DONE, 250);  // said twice
  CHECK(world.events.empty());
}

TEST_CASE("Intents: a new primary waits for the word of the node that has one under way, and begins it again without") {
  for (const bool lives : {true, false}) {
    Begun world;
    world.now += seconds(10);
    REQUIRE(world.run_timer());
    CHECK_FALSE(world.run_timer());  // the timer stands: a new primary's first look
    CHECK(world.intent()->due_ms() == to_ms(world.now + seconds(5)));
    CHECK_FALSE(world.intent()->begun());
    if (lives) {
      world.now += seconds(4);
      world.done(Done::DONE, 250);
      CHECK(world.ended() == log::IntentEnded::DONE);
      CHECK(world.timers().empty());
    } else {
      world.now += seconds(5);
      CHECK(world.run_timer());
      CHECK(world.intent()->begun());
    }
  }
}

TEST_CASE("Intents: what came of one that was under way elsewhere may be that it is to be tried again") {
  Begun world;
  world.now += seconds(10);
  REQUIRE(world.run_timer());
  CHECK_FALSE(world.run_timer());
  world.done(Done::BUSY);
  CHECK(world.intent()->due_ms() == to_ms(world.now + seconds(1)));
  world.now += seconds(1);
  CHECK(world.run_timer());
}

TEST_CASE(
    "Intents: a mail is in the language that its user has chosen by then, and says the same when it is repeated") {
  Begun world;
  state::MailSettings settings;
  settings.set_language("de");
  world.rows[keys::mail_settings(world.user)] = settings.SerializeAsString();
  world.now += seconds(10);
  REQUIRE(world.run_timer());
  CHECK(std::get<chat::BeginIntent>(world.effects.front()).intent.mail().language() == "de");
  settings.set_language("en");
  world.rows[keys::mail_settings(world.user)] = settings.SerializeAsString();
  world.done(Done::LATER, 451);
  world.now = from_ms(world.intent()->due_ms());
  REQUIRE(world.run_timer());
  CHECK(std::get<chat::BeginIntent>(world.effects.front()).intent.mail().language() == "de");
}

TEST_CASE("Intents: an attempt that failed for now waits, ever longer, until its use is over") {
  Begun world;
  std::vector<std::int64_t> waits;
  while (world.intent()) {
    world.now = from_ms(world.intent()->due_ms());
    REQUIRE(world.run_timer());
    const std::int64_t tried = to_ms(world.now);
    world.done(Done::LATER, 451);
    if (world.intent()) waits.push_back((world.intent()->due_ms() - tried) / 1000);
  }
  CHECK(waits == std::vector<std::int64_t>{5, 10, 20, 40, 80, 160, 320, 640, 1280});
  CHECK(world.ended() == log::IntentEnded::GIVEN_UP);
  CHECK(world.timers().empty());
}

TEST_CASE("Intents: no room to begin one is no attempt") {
  Begun world;
  world.now += seconds(10);
  world.run_timer();
  world.done(Done::BUSY);
  CHECK(world.intent()->attempts() == 0);
  CHECK(world.intent()->due_ms() == to_ms(world.now + seconds(1)));
}

TEST_CASE("Intents: one that is due when its time is over, or whose account is gone, is not begun") {
  Begun late, orphan;
  late.now += std::chrono::hours(2);
  CHECK_FALSE(late.run_timer());
  CHECK(late.ended() == log::IntentEnded::GIVEN_UP);
  orphan.rows.erase(keys::account(orphan.user));
  orphan.now += seconds(10);
  CHECK_FALSE(orphan.run_timer());
  CHECK(orphan.ended() == log::IntentEnded::UNWANTED);
  CHECK(orphan.timers().empty());
}

TEST_CASE("Intents: a timer of a kind that this version does not know goes") {
  Begun world;
  const std::string key = keys::due(1, "?????");
  world.rows[key] = "";
  command::Command command;
  command.mutable_run_due()->set_key(key);
  world.run(command);
  CHECK_FALSE(world.rows.contains(key));
}

}  // namespace holdfast::services
