#include "server/services/account_mail.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/rule_fixture.h"

namespace holdfast::services {
namespace {

/// Anna, whose address is verified, and what the bus brings about her.
struct World : chat::RuleFixture {
  UserId anna = fresh_user();

  World() {
    state::Account account;
    account.set_username("anna");
    account.set_email("anna@inbox.test");
    account.set_email_verified(true);
    rows[keys::account(anna)] = account.SerializeAsString();
  }
  command::Command news(std::uint64_t seq) const {
    command::Command command;
    command.set_user(anna.str());
    command.mutable_source()->set_subscriber("account_mail");
    command.mutable_source()->set_seq(seq);
    return command;
  }
  std::vector<std::string> timers() const {
    std::vector<std::string> found;
    for (const auto& [key, value] : rows)
      if (static_cast<keys::Family>(key.front()) == keys::Family::due) found.push_back(key);
    return found;
  }
  /// Runs what is due and says of each mail that it was sent.
  std::vector<IntentId> send() {
    std::vector<IntentId> sent;
    for (const std::string& key : timers()) {
      command::Command command;
      command.mutable_run_due()->set_key(key);
      run(command);
      for (const chat::Effect& effect : std::vector<chat::Effect>(effects)) {
        const auto* begun = std::get_if<chat::BeginIntent>(&effect);
        if (begun == nullptr) continue;
        sent.push_back(begun->id);
        command::Command done;
        done.set_user(begun->user.str());
        done.mutable_intent_done()->set_intent(begun->id.str());
        run(done);
      }
    }
    return sent;
  }
};

}  // namespace

TEST_CASE("AccountMail: what the bus brings again after a crash is mailed once, also when that mail is gone already") {
  World world;
  command::Command changed = world.news(7);
  changed.mutable_mail_account()->mutable_password_changed();
  world.run(changed);
  CHECK(world.send().size() == 1);
  world.run(changed);
  CHECK(world.writes.empty());
  CHECK(world.send().empty());
  command::Command again = world.news(8);
  again.mutable_mail_account()->mutable_password_changed();
  world.run(again);
  CHECK(world.send().size() == 1);
}

}  // namespace holdfast::services
