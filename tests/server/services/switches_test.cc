// What is switched off does nothing, and is refused with a word that says so.
#include "server/services/incidents.h"
#include "server/services/services.h"
#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

const bus::Subscriber& named(const Services& services, std::string_view name) {
  const auto& all = services.subscribers();
  const auto found = std::ranges::find_if(all, [&](const auto& one) { return one->name() == name; });
  REQUIRE(found != all.end());
  return **found;
}

/// How many commands it sends on the event.
std::size_t sent_by(const Services& services, std::string_view name, const log::Event& event) {
  log::Entry entry;
  entry.set_seq(1);
  *entry.add_events() = event;
  chat::RowMap rows;
  chat::MapView view(rows, nullptr);
  bus::Outcome outcome;
  named(services, name).on_event({PartitionId(0), 4, entry, 0}, view, outcome);
  return outcome.commands.size();
}

}  // namespace

TEST_CASE("Switches: a subscriber that is off goes along with the log and sends nothing") {
  chat::Limits on, off;
  off.audit_enabled = off.incidents_enabled = false;
  const Services with(on), without(off);
  CHECK(with.subscribers().size() == without.subscribers().size());  // their cursors go on
  log::Event event;
  event.mutable_cluster_happened()->set_kind("dead");
  for (const char* name : {"audit", "incidents"}) {
    CHECK(sent_by(with, name, event) > 0);
    CHECK(sent_by(without, name, event) == 0);
  }
}

TEST_CASE("Switches: without resets none is mailed, no link is taken, and whoever asks is told so") {
  WaysBackWorld world;
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  world.ask_reset("anna");
  const std::string token = world.link(anna, "password_reset");
  chat::Limits limits;
  limits.resets_enabled = false;
  world.backend.set_limits(limits);

  const v1::ServerFrame answer = world.ask_reset("anna");
  CHECK(answer.error().code() == v1::UNSUPPORTED);
  CHECK(answer.error().message().find("passwords.resets") != std::string::npos);
  v1::ClientFrame by_operator;
  by_operator.mutable_reset_password()->set_username("anna");
  by_operator.mutable_reset_password()->set_reason("asked on the telephone");
  chat::Caller boss;
  boss.operator_rights = true;
  CHECK(world.ask(boss, by_operator).error().code() == v1::UNSUPPORTED);

  CHECK_FALSE(world.link_is_good(token));
  CHECK(world.use(token, "battery staple").error().code() == v1::PRECONDITION_FAILED);
  CHECK(world.run_timers(anna).empty());  // the mail that waited is wanted no more
  world.backend.set_limits({});
  CHECK(world.log_in("anna", "correct horse").has_session());
}

TEST_CASE("Switches: without mails to owners a changed password is no news, and an address is verified all the same") {
  WaysBackWorld world;
  chat::Limits limits;
  limits.owner_mails_enabled = false;
  world.backend.set_limits(limits);
  const auto anna = world.verified_user("anna", "anna@inbox.test");
  v1::ClientFrame change;
  change.mutable_change_password()->set_old_password("correct horse");
  change.mutable_change_password()->set_new_password("battery staple");
  REQUIRE_FALSE(world.ask(anna, change).has_error());
  CHECK(world.mails(anna, "password_changed").empty());
  world.backend.set_limits({});
  change.mutable_change_password()->set_old_password("battery staple");
  change.mutable_change_password()->set_new_password("correct horse");
  REQUIRE_FALSE(world.ask(anna, change).has_error());
  CHECK(world.mails(anna, "password_changed").size() == 1);
}

TEST_CASE("Switches: without incidents one that is open can only be stopped, and shortens nobody's delay") {
  chat::RuleFixture world;
  const auto change = [&world](command::ChangeIncident::What what) {
    command::Command command;
    command.mutable_change_incident()->set_what(what);
    command.mutable_change_incident()->set_text("a disk is full");
    command.mutable_change_incident()->set_id(world.fresh<IntentId>().str());
    return chat::code_of(world.run(command));
  };
  REQUIRE(change(command::ChangeIncident::START) == v1::ERROR_UNSPECIFIED);
  state::CurrentIncident current;
  world.rows[keys::incident()] = current.SerializeAsString();
  world.limits.incidents_enabled = false;
  CHECK(change(command::ChangeIncident::START) == v1::UNSUPPORTED);
  CHECK(change(command::ChangeIncident::UPDATE) == v1::UNSUPPORTED);
  const chat::Context context{world.now, PartitionId(0), 1, world.limits};
  chat::MapView view(world.rows, nullptr);
  CHECK_FALSE(incident_delay(context, world.fresh_user(), view));
  CHECK(change(command::ChangeIncident::STOP) == v1::ERROR_UNSPECIFIED);
}

}  // namespace holdfast::services
