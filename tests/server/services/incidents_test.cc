#include "server/services/incidents.h"

#include <catch2/catch.hpp>

#include "server/services/audit.h"
#include "server/services/due.h"
#include "storage/keys.h"
#include "tests/support/rule_fixture.h"

namespace holdfast::services {
namespace {

using chat::RuleFixture;
using std::chrono::hours;
using std::chrono::seconds;
using Change = command::ChangeIncident;

/// One partition, which is partition 0 and all there is, with the subscriber at work.
struct World : RuleFixture {
  std::vector<v1::StatusBanner> banners;
  std::vector<std::string> mailed;  ///< addresses

  v1::ErrorCode change(Change::What what, const std::string& text) {
    command::Command command;
    command.mutable_change_incident()->set_what(what);
    command.mutable_change_incident()->set_text(text);
    command.mutable_change_incident()->set_id(fresh<IntentId>().str());
    const auto code = chat::code_of(run(command));
    settle();
    return code;
  }
  UserId user(const std::string& name, bool verified = true) {
    const UserId id = fresh_user();
    state::Account account;
    account.set_username(name);
    account.set_email(name + "@inbox.test");
    account.set_email_verified(verified);
    rows[keys::account(id)] = account.SerializeAsString();
    return id;
  }
  SessionId device(const UserId& owner, std::uint32_t node) {
    const auto id = fresh<SessionId>();
    rows[keys::session(owner, id)] = state::Session().SerializeAsString();
    note(owner, id, node);
    return id;
  }
  void note(const UserId& owner, const SessionId& id, std::uint32_t node) {
    command::Command command;
    auto& one = *command.mutable_note_attached()->add_all();
    one.set_user(owner.str());
    one.set_session(id.str());
    one.set_node(node);
    run(command);
  }
  void node_died(std::uint32_t node) {
    command::Command command;
    auto& happened = *command.mutable_note_cluster()->add_all();
    happened.set_kind("dead");
    happened.set_node(node);
    run(command);
    settle();
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    settle();
  }
  bool is_affected(const UserId& id) const {
    const auto lost = stored<state::Lost>(keys::lost(id));
    return lost && !lost->back();
  }
  std::optional<seconds> delay(const UserId& id) {
    const chat::Context context{now, PartitionId(0), 1, limits};
    chat::MapView view(rows, nullptr);
    return incident_delay(context, id, view);
  }

  /// Until nothing follows from anything any more: events to the subscriber, each command twice, and what is due.
  void settle() {
    for (bool more = true; more;) {
      more = false;
      for (; next_ < all_events.size(); ++next_) follow(all_events[next_]);
      for (const auto& [key, value] : RowMapCopy(rows)) {
        const auto decoded = keys::decode(key);
        if (decoded->family != keys::Family::due || decoded->number > static_cast<std::uint64_t>(to_ms(now))) continue;
        command::Command command;
        command.mutable_run_due()->set_key(key);
        run(command);
        more = true;
        for (const chat::Effect& effect : effects) begin(effect);
      }
      more |= next_ < all_events.size();
    }
  }

 private:
  using RowMapCopy = chat::RowMap;

  void follow(const log::Event& event) {
    log::Entry entry;
    entry.set_seq(next_ + 1);
    *entry.add_events() = event;
    chat::MapView view(rows, nullptr);
    bus::Outcome outcome;
    Incidents().on_event({PartitionId(0), 1, entry, 0}, view, outcome);
    for (auto& [to, command] : outcome.commands) {
      command.mutable_source()->set_subscriber("incidents");
      command.mutable_source()->set_seq(next_ + 1);
      run(command);
      for (const chat::Effect& effect : effects)
        if (const auto* all = std::get_if<chat::TellAll>(&effect)) banners.push_back(all->frame.status_banner());
      run(command);  // again, as after a crash
      CHECK(writes.empty());
    }
  }
  /// A mail goes out at once.
  void begin(const chat::Effect& effect) {
    const auto* intent = std::get_if<chat::BeginIntent>(&effect);
    if (intent == nullptr) return;
    mailed.push_back(intent->intent.mail().to());
    command::Command done;
    done.set_user(intent->user.str());
    done.mutable_intent_done()->set_intent(intent->id.str());
    run(done);
  }

  std::size_t next_ = 0;
};

using Mails = std::vector<std::string>;

}  // namespace

TEST_CASE("Incidents: started, updated and stopped, each told once to all who are connected") {
  World world;
  const UserId anna = world.user("anna");
  CHECK(world.change(Change::UPDATE, "nothing yet") == v1::PRECONDITION_FAILED);
  CHECK(world.change(Change::STOP, "") == v1::PRECONDITION_FAILED);
  CHECK(world.change(Change::START, "") == v1::INVALID_ARGUMENT);
  CHECK(world.change(Change::START, std::string(1001, 'x')) == v1::INVALID_ARGUMENT);
  CHECK_FALSE(world.delay(anna));

  CHECK(world.change(Change::START, "pictures are slow") == v1::ERROR_UNSPECIFIED);
  CHECK(world.change(Change::START, "another") == v1::PRECONDITION_FAILED);
  CHECK(world.delay(anna) == world.limits.incident_mail_delay);
  CHECK(world.change(Change::UPDATE, "they come back") == v1::ERROR_UNSPECIFIED);
  CHECK(world.change(Change::STOP, "it was the disk") == v1::ERROR_UNSPECIFIED);
  CHECK_FALSE(world.delay(anna));

  REQUIRE(world.banners.size() == 3);
  CHECK(world.banners[0].text() == "pictures are slow");
  CHECK(world.banners[0].open());
  CHECK(world.banners[1].text() == "they come back");
  CHECK(world.banners[1].id() == world.banners[0].id());
  CHECK(world.banners[1].since_ms() == world.banners[0].since_ms());
  CHECK_FALSE(world.banners[2].open());

  command::Command show;
  show.mutable_show_incidents();
  const auto history = world.run(show).incidents();
  REQUIRE(history.all_size() == 1);
  CHECK(history.all(0).notes_size() == 3);
  CHECK(history.all(0).until_ms() != 0);
  CHECK(world.mailed.empty());
}

TEST_CASE("Incidents: a text or a name that is no UTF-8 is refused: rows that have it could not be read again") {
  World world;
  command::Command command;
  auto& change = *command.mutable_change_incident();
  change.set_what(command::ChangeIncident::START);
  change.set_id(std::string(16, 'i'));
  change.set_text("Sch\xf6n ist das nicht");
  CHECK(world.run(command).frame().error().code() == v1::INVALID_ARGUMENT);
  change.set_text("Das ist nicht schön");
  change.set_by("J\xf6rg");
  CHECK(world.run(command).frame().error().code() == v1::INVALID_ARGUMENT);
  CHECK(world.writes.empty());
  change.set_by("Jörg");
  CHECK_FALSE(world.run(command).frame().has_error());
}

TEST_CASE("Incidents: the last twenty are kept, and fifty notes of each") {
  World world;
  for (int i = 0; i < 25; ++i) {
    world.change(Change::START, "number " + std::to_string(i));
    for (int k = 0; k < 60; ++k) world.change(Change::UPDATE, "update " + std::to_string(k));
    world.change(Change::STOP, "");
  }
  const auto incidents = *world.stored<state::Incidents>(keys::incidents());
  REQUIRE(incidents.all_size() == 20);
  CHECK(incidents.all(0).notes(0).text() == "number 5");
  REQUIRE(incidents.all(19).notes_size() == 50);
  CHECK(incidents.all(19).notes(0).text() == "number 24");
  CHECK(incidents.all(19).notes(49).text() == "update 59");
}

TEST_CASE("Incidents: who does not come back after a node's death is affected and told once; who does, is not") {
  World world;
  const UserId anna = world.user("anna"), berta = world.user("berta"), carla = world.user("carla"),
               dora = world.user("dora"), emma = world.user("emma", false);
  world.device(anna, 2);
  const SessionId moved = world.device(berta, 2);
  world.device(carla, 2);
  world.device(carla, 3);  // another device, elsewhere
  const SessionId left = world.device(dora, 2);
  world.note(dora, left, 0);  // logged off in time
  world.device(emma, 2);

  world.node_died(2);
  world.pass(seconds(30));
  world.note(berta, moved, 3);
  CHECK(world.banners.empty());
  world.pass(seconds(29));
  CHECK_FALSE(world.is_affected(anna));
  world.pass(seconds(1));
  CHECK(world.is_affected(anna));
  CHECK_FALSE(world.is_affected(berta));
  CHECK_FALSE(world.is_affected(carla));
  CHECK_FALSE(world.is_affected(dora));
  CHECK(world.is_affected(emma));
  CHECK(world.mailed == Mails{"anna@inbox.test"});  // emma's address is not verified
  REQUIRE(world.banners.size() == 1);
  CHECK(world.banners[0].open());
  CHECK(world.delay(anna) == world.limits.incident_mail_delay);

  world.pass(world.limits.incident_ends_after);
  REQUIRE(world.banners.size() == 2);
  CHECK_FALSE(world.banners[1].open());
  CHECK_FALSE(world.delay(berta));
  CHECK(world.delay(anna));  // until a device of hers is back
}

TEST_CASE("Incidents: who is affected again in the same incident gets no second mail; in another one, yes") {
  World world;
  world.change(Change::START, "the machine room is hot");
  const UserId anna = world.user("anna");
  const SessionId phone = world.device(anna, 2);
  world.node_died(2);
  world.pass(seconds(60));
  CHECK(world.mailed.size() == 1);
  world.note(anna, phone, 3);
  CHECK_FALSE(world.is_affected(anna));
  world.node_died(3);
  world.pass(seconds(60));
  CHECK(world.is_affected(anna));
  CHECK(world.mailed.size() == 1);
  world.change(Change::STOP, "");
  world.note(anna, phone, 4);
  world.node_died(4);
  world.pass(seconds(60));
  CHECK(world.mailed.size() == 2);
}

TEST_CASE("Incidents: who has switched mail off, or is barred, is not mailed about one") {
  World world;
  const UserId anna = world.user("anna"), ben = world.user("ben"), carol = world.user("carol");
  for (const UserId& each : {anna, ben, carol}) world.device(each, 2);
  state::MailSettings off;
  off.set_mode(v1::MAIL_OFF);
  world.rows[keys::mail_settings(anna)] = off.SerializeAsString();
  auto account = *world.stored<state::Account>(keys::account(ben));
  account.set_status(v1::BANNED);
  world.rows[keys::account(ben)] = account.SerializeAsString();
  world.node_died(2);
  world.pass(world.limits.incident_resume_bound);
  CHECK(world.is_affected(anna));
  CHECK(world.mailed == Mails{"carol@inbox.test"});
}

TEST_CASE("Incidents: a node that dies twice is no news about those who were gone the first time") {
  World world;
  const UserId anna = world.user("anna");
  world.device(anna, 2);
  world.node_died(2);
  world.pass(seconds(60));
  CHECK(world.mailed.size() == 1);
  world.pass(hours(24));
  world.node_died(2);
  world.pass(seconds(60));
  CHECK(world.mailed.size() == 1);
}

TEST_CASE("Incidents: one that opened by itself is the operator's once there is a word about it, and stays open") {
  World world;
  world.device(world.user("anna"), 2);
  world.node_died(2);
  world.pass(seconds(60));
  REQUIRE(world.banners.size() == 1);
  world.change(Change::UPDATE, "we are on it");
  world.pass(hours(2));
  CHECK(world.banners.size() == 2);
  CHECK(world.banners.back().open());
  CHECK(world.change(Change::STOP, "") == v1::ERROR_UNSPECIFIED);
  CHECK_FALSE(world.banners.back().open());
}

TEST_CASE(
    "Incidents: a lost node's sessions are looked through in stretches, and nobody is left out or counted twice") {
  World world;
  constexpr int kUsers = 400;
  std::vector<UserId> users;
  for (int i = 0; i < kUsers; ++i) {
    users.push_back(world.user("u" + std::to_string(i)));
    for (int k = 0; k <= i % 5; ++k) world.device(users.back(), 2);
  }
  const UserId hoarder = world.user("hoarder");
  for (int k = 0; k < 300; ++k) world.device(hoarder, 2);  // more rows than one stretch: most of them long ended
  world.node_died(2);
  world.pass(seconds(60));
  for (const UserId& user : users) CHECK(world.is_affected(user));
  CHECK(world.is_affected(hoarder));
  CHECK(world.mailed.size() == kUsers + 1);
  CHECK(std::set<std::string>(world.mailed.begin(), world.mailed.end()).size() == kUsers + 1);
}

TEST_CASE("Incidents: a mail about one is not sent to who has come back before it was") {
  World world;
  const UserId anna = world.user("anna");
  const SessionId phone = world.device(anna, 2);
  world.node_died(2);
  world.now += seconds(60);
  command::Command due;
  for (const auto& [key, value] : world.rows)
    if (keys::decode(key)->family == keys::Family::due && keys::decode(key)->first.front() == 'L')
      due.mutable_run_due()->set_key(key);
  world.run(due);
  REQUIRE(world.is_affected(anna));
  world.note(anna, phone, 3);
  world.settle();
  CHECK(world.mailed.empty());
}

}  // namespace holdfast::services
