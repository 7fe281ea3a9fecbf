#include <catch2/catch.hpp>

#include "server/chat/mail_key.h"
#include "server/services/due.h"
#include "storage/keys.h"
#include "tests/support/requests.h"
#include "tests/support/town.h"

namespace holdfast::services {
namespace {

using Texts = std::vector<std::string>;
using Ended = log::IntentEnded;
using Outcomes = std::vector<Ended::Outcome>;

/// Anna gets mail; Ben writes to her.
struct Two : Town {
  Townsman anna = person("anna"), ben = person("ben", false);
  std::string where = talk(ben, anna);

  Two() { acknowledge(anna); }
};

std::vector<std::string> rows_of(const Town& town, keys::Family family) {
  std::vector<std::string> found;
  for (std::uint16_t i = 0; i < town.node.partitions(); ++i)
    for (const auto& [key, value] : const_cast<Town&>(town).node.partition(PartitionId(i)).rows)
      if (static_cast<keys::Family>(key.front()) == family) found.push_back(key);
  return found;
}

/// Of those who get mail, not of other services.
std::vector<std::string> mail_timers(const Town& town) {
  std::vector<std::string> found = rows_of(town, keys::Family::due);
  std::erase_if(found, [](const std::string& key) {
    return keys::decode(key)->first.front() != static_cast<char>(DueKind::missed);
  });
  return found;
}

}  // namespace

TEST_CASE("Fallback: what no device acknowledges in time is mailed, once, with what it says and who said it") {
  Two town;
  town.say(town.ben, town.where, "are you there?");
  town.minutes(9);
  CHECK(town.carrier.sent.empty());
  town.minutes(2);
  REQUIRE(town.carrier.sent.size() == 1);
  const Carrier::Sent& mail = town.carrier.sent.front();
  CHECK(mail.user == town.anna.id);
  CHECK(mail.to == "anna@inbox.test");
  CHECK(mail.name == "missed_content");
  CHECK(mail.texts() == Texts{"are you there?"});
  CHECK(mail.addition.values.lists.at("messages").front().at("author") == "ben");
  CHECK(mail.value("user") == "anna");
  CHECK(mail.value("conversation") == "ben");
  CHECK(mail.value("count") == "1");
  CHECK(mail.value("can_answer") == "yes");
  CHECK(mail.addition.unsubscribe_url.starts_with("https://chat.test/unsubscribe?t="));
  town.minutes(48 * 60);
  CHECK(town.carrier.sent.size() == 1);
  CHECK(town.ended() == Outcomes{Ended::DONE});
  CHECK(town.mailbox(town.anna).watch() == state::Mailbox::IDLE);
}

TEST_CASE("Fallback: what any device has acknowledged is not mailed, also when its session has ended since") {
  Two town;
  const Townsman phone = town.device(town.anna);
  town.say(town.ben, town.where, "one");
  town.acknowledge(phone);
  town.ask(phone, requests::log_out());
  town.minutes(30);
  CHECK(town.carrier.sent.empty());
  CHECK(town.mailbox(town.anna).watch() == state::Mailbox::IDLE);
}

TEST_CASE("Fallback: who has no session at all gets mail") {
  Two town;
  town.ask(town.anna, requests::log_out());
  town.say(town.ben, town.where, "one");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().texts() == Texts{"one"});
}

TEST_CASE("Fallback: a device that went away in the middle has what it acknowledged, the rest is mailed") {
  Two town;
  town.say(town.ben, town.where, "one");
  town.acknowledge(town.anna);
  town.say(town.ben, town.where, "two");
  town.minutes(5);
  town.say(town.ben, town.where, "three");
  town.minutes(6);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().texts() == Texts{"two", "three"});
}

TEST_CASE("Fallback: one mail a conversation, in order, each when its own oldest message has waited") {
  Two town;
  const Townsman cleo = town.person("cleo", false);
  const std::string other = town.talk(cleo, town.anna);
  town.say(town.ben, town.where, "one");
  town.minutes(6);
  town.say(cleo, other, "from cleo");
  town.say(town.ben, town.where, "two");
  town.minutes(5);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent[0].texts() == Texts{"one", "two"});
  town.minutes(6);
  REQUIRE(town.carrier.sent.size() == 2);
  CHECK(town.carrier.sent[1].texts() == Texts{"from cleo"});
  town.say(town.ben, town.where, "three");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 3);
  CHECK(town.carrier.sent[2].texts() == Texts{"three"});
}

TEST_CASE("Fallback: many messages are shown up to a bound, and the others counted") {
  Two town;
  for (int i = 0; i < 45; ++i) town.say(town.ben, town.where, std::to_string(i));
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().texts().size() == 30);
  CHECK(town.carrier.sent.front().texts().back() == "29");
  CHECK(town.carrier.sent.front().value("count") == "45");
  CHECK(town.carrier.sent.front().value("more") == "15");
}

TEST_CASE("Fallback: more than one look takes in is one mail all the same") {
  Two town;
  for (int i = 0; i < 1'100; ++i) town.say(town.ben, town.where, std::to_string(i));
  town.minutes(15);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().value("count") == "1100");
  CHECK(town.mailbox(town.anna).watch() == state::Mailbox::IDLE);
}

TEST_CASE("Fallback: more bytes than one look takes in are one mail, too") {
  Two town;
  for (int i = 0; i < 400; ++i) town.say(town.ben, town.where, std::string(900, 'x'));
  town.minutes(15);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().value("count") == "400");
  CHECK(town.mailbox(town.anna).watch() == state::Mailbox::IDLE);
}

TEST_CASE("Fallback: what was read, or said by the user elsewhere, is not mailed") {
  Two town;
  const std::uint64_t number = town.say(town.ben, town.where, "one");
  town.read(town.anna, town.where, number);
  town.say(town.anna, town.where, "my own");
  town.minutes(30);
  CHECK(town.carrier.sent.empty());
}

TEST_CASE("Fallback: what is read, acknowledged, muted or deleted between decision and sending is not sent") {
  for (int way = 0; way < 4; ++way) {
    INFO("way " << way);
    Two town;
    town.carrier.is_down = true;
    const std::uint64_t number = town.say(town.ben, town.where, "one");
    town.minutes(11);
    REQUIRE(rows_of(town, keys::Family::intent).size() == 1);
    switch (way) {
      case 0: town.read(town.anna, town.where, number); break;
      case 1: town.acknowledge(town.anna); break;
      case 2: town.ask(town.anna, requests::mute(town.where, true)); break;
      case 3: town.ask(town.ben, requests::remove(town.where, number)); break;
    }
    town.carrier.is_down = false;
    town.minutes(60);
    CHECK(town.carrier.sent.empty());
    CHECK(town.ended() == Outcomes{Ended::UNWANTED});
  }
}

TEST_CASE("Fallback: a relay that is down holds the mail up, and it says what the conversation says by then") {
  Two town;
  town.carrier.is_down = true;
  const std::uint64_t number = town.say(town.ben, town.where, "frist");
  const std::uint64_t second = town.say(town.ben, town.where, "second");
  town.minutes(11);
  town.ask(town.ben, requests::edit(town.where, number, "first"));
  town.ask(town.ben, requests::remove(town.where, second));
  town.carrier.is_down = false;
  town.minutes(60);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().texts() == Texts{"first"});
}

TEST_CASE("Fallback: nothing from who was blocked before it was mailed, however long it is") {
  Two town;
  town.say(town.ben, town.where, std::string(2'000, 'x'));  // stands in the inbox as a reference
  town.ask(town.anna, requests::block(town.ben.id, true));
  town.minutes(15);
  CHECK(town.carrier.sent.empty());
}

TEST_CASE("Fallback: nothing from who is blocked, in what is muted, or of a group that was left") {
  Two town;
  const Townsman cleo = town.person("cleo", false);
  const std::string club = town.group(cleo, "Club", {town.anna}), muted = town.group(cleo, "Muted", {town.anna});
  town.say(cleo, club, "before");
  town.ask(town.anna, requests::leave(club));
  town.ask(town.anna, requests::mute(muted, true));
  town.ask(town.anna, requests::block(town.ben.id, true));
  town.say(town.ben, town.where, "from who is blocked");
  town.say(cleo, muted, "muted");
  const std::string both = town.group(cleo, "Both", {town.anna, town.ben});
  town.say(town.ben, both, "in a group, from who is blocked");
  town.say(town.ben, both, std::string(2'000, 'x'));  // only referred to
  town.minutes(60);
  CHECK(town.carrier.sent.empty());
  CHECK(town.mailbox(town.anna).watch() == state::Mailbox::IDLE);
}

TEST_CASE("Fallback: groups are mailed under their title, also what is only referred to in the inbox") {
  Two town;
  const std::string club = town.group(town.ben, "Chess club", {town.anna});
  const std::string big(2'000, 'x');
  town.say(town.ben, club, big);
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().value("conversation") == "Chess club");
  CHECK(town.carrier.sent.front().texts() == Texts{big});
}

TEST_CASE("Fallback: of a large group it is only told how many wait") {
  Two town;
  for (std::uint16_t i = 0; i < town.node.partitions(); ++i) {
    town.node.partition(PartitionId(i)).limits.large_group_above = 2;
    town.node.partition(PartitionId(i)).limits.large_group_back_at = 1;
  }
  const Townsman cleo = town.person("cleo", false);
  const std::string crowd = town.group(town.ben, "Crowd", {town.anna});
  town.ask(town.ben, requests::add_member(crowd, cleo.id));
  town.say(town.ben, crowd, "one");
  town.minutes(4);
  town.say(cleo, crowd, "two");
  town.minutes(7);  // since the first of them
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().name == "missed_notice");
  CHECK(town.carrier.sent.front().value("count") == "2");
  CHECK(town.carrier.sent.front().texts().empty());
  town.acknowledge(town.anna);
  town.minutes(30);
  town.say(town.ben, crowd, "three");
  town.minutes(9);
  CHECK(town.carrier.sent.size() == 1);
  town.minutes(2);
  CHECK(town.carrier.sent.size() == 2);
}

TEST_CASE("Fallback: what is no text is not shown, and mailed alone it is a notice") {
  Two town;
  town.say(town.ben, town.where, "\x01\xff", "application/x-sealed");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().name == "missed_notice");
  CHECK(town.carrier.sent.front().texts().empty());
  town.say(town.ben, town.where, "in clear");
  town.say(town.ben, town.where, "\x01\xff", "application/x-sealed");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 2);
  CHECK(town.carrier.sent.back().texts() == Texts{"in clear", "[application/x-sealed]"});
}

TEST_CASE("Fallback: so many mails a day, and the others the next day, one for each conversation") {
  Two town;
  town.node.home(town.anna.id).limits.fallback.mails_of_a_day_max = 2;
  std::vector<std::string> groups;
  for (int i = 0; i < 4; ++i) groups.push_back(town.group(town.ben, "group " + std::to_string(i), {town.anna}));
  for (const std::string& group : groups) town.say(town.ben, group, "early");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 2);
  CHECK(town.carrier.sent[0].value("conversation") == "group 0");
  CHECK(town.carrier.sent[1].value("conversation") == "group 1");
  for (const std::string& group : groups) town.say(town.ben, group, "late");
  town.minutes(60);
  CHECK(town.carrier.sent.size() == 2);
  town.minutes(24 * 60);
  REQUIRE(town.carrier.sent.size() == 4);
  CHECK(town.carrier.sent[2].value("conversation") == "group 2");
  CHECK(town.carrier.sent[2].texts() == Texts{"early", "late"});
  town.minutes(24 * 60);
  CHECK(town.carrier.sent.size() == 6);
}

TEST_CASE("Fallback: users choose between nothing, a notice and content, and how long a message waits") {
  Two town;
  CHECK(town.settings(town.anna, v1::MAIL_NOTICE, 60) == v1::ERROR_UNSPECIFIED);
  town.say(town.ben, town.where, "one");
  town.minutes(2);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().name == "missed_notice");
  CHECK(town.carrier.sent.front().texts().empty());
  town.settings(town.anna, v1::MAIL_OFF);
  CHECK(town.mailbox(town.anna).watch() == state::Mailbox::OFF);
  town.say(town.ben, town.where, "two");
  town.minutes(30);
  town.settings(town.anna, v1::MAIL_CONTENT, 7 * 24 * 3600);
  town.say(town.ben, town.where, "three");
  town.minutes(30);
  CHECK(town.carrier.sent.size() == 1);
  town.settings(town.anna, v1::MAIL_CONTENT, 20 * 60);  // the timer that is set moves
  town.minutes(1);
  REQUIRE(town.carrier.sent.size() == 2);
  CHECK(town.carrier.sent.back().texts() == Texts{"three"});  // what came while it was off is not mailed
}

TEST_CASE("Fallback: settings are shown as they were set, with what holds") {
  Two town;
  v1::ClientFrame get;
  get.mutable_get_mail_settings();
  v1::MailSettingsReply shown = town.ask(town.anna, get).mail_settings();
  CHECK(shown.mode() == v1::MAIL_BY_DEFAULT);
  CHECK(shown.mode_now() == v1::MAIL_CONTENT);
  CHECK(shown.delay_now_s() == 600);
  CHECK(town.ask(town.ben, get).mail_settings().mode_now() == v1::MAIL_OFF);
  town.settings(town.anna, v1::MAIL_NOTICE, 60);
  shown = town.ask(town.anna, get).mail_settings();
  CHECK(shown.mode() == v1::MAIL_NOTICE);
  CHECK(shown.delay_s() == 60);
  CHECK(town.settings(town.anna, v1::MAIL_NOTICE, 59) == v1::INVALID_ARGUMENT);
  CHECK(town.settings(town.anna, v1::MAIL_NOTICE, 604'801) == v1::INVALID_ARGUMENT);
  CHECK(town.settings(town.anna, static_cast<v1::MailMode>(9)) == v1::INVALID_ARGUMENT);
  v1::ClientFrame bad;
  bad.mutable_set_mail_settings()->set_language("../de");
  CHECK(chat::code_of(town.ask(town.anna, bad)) == v1::INVALID_ARGUMENT);
}

TEST_CASE("Fallback: no mail to an address that is not verified, nor to the former one") {
  Two town;
  town.carrier.is_down = true;
  town.say(town.ben, town.where, "one");
  town.minutes(11);
  town.set_address(town.anna, "new@inbox.test", false);
  town.carrier.is_down = false;
  town.say(town.ben, town.where, "two");
  town.minutes(60);
  CHECK(town.carrier.sent.empty());
  CHECK(town.ended() == Outcomes{Ended::UNWANTED});
  town.set_address(town.anna, "new@inbox.test", true);
  town.say(town.ben, town.where, "three");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().to == "new@inbox.test");
  CHECK(town.carrier.sent.front().texts() == Texts{"three"});
}

TEST_CASE("Fallback: verifying an address by its link switches mail on, and another address off again") {
  Two town;
  v1::ClientFrame set;
  set.mutable_set_email()->set_password("correct horse");
  set.mutable_set_email()->set_email("ben@inbox.test");
  REQUIRE(town.ask(town.ben, set).has_done());
  CHECK(town.mailbox(town.ben).watch() == state::Mailbox::OFF);
  const std::vector<std::string> intents = rows_of(town, keys::Family::intent);
  REQUIRE(intents.size() == 1);
  command::Command use;
  use.set_user(town.ben.id.str());
  use.set_idempotency_id(town.node.fresh_id().str());
  use.mutable_use_verification()->set_intent(std::string(keys::decode(intents.front())->second));
  use.mutable_use_verification()->set_address("ben@inbox.test");
  use.mutable_use_verification()->set_address_hash(town.node.mail_key().address_hash("ben@inbox.test"));
  town.node.ask(partition_of(town.ben.id, town.node.partitions()), use,
                [](const command::Answer& answer) { CHECK(chat::code_of(answer) == v1::ERROR_UNSPECIFIED); });
  town.node.settle();
  CHECK(town.mailbox(town.ben).watch() == state::Mailbox::IDLE);
  town.say(town.anna, town.where, "are you there?");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().to == "ben@inbox.test");
  set.mutable_set_email()->set_email("new@inbox.test");
  REQUIRE(town.ask(town.ben, set).has_done());
  CHECK(town.mailbox(town.ben).watch() == state::Mailbox::OFF);
}

TEST_CASE("Fallback: switched off by the operator nothing is mailed, and switched on again what comes from then on") {
  Two town;
  const auto switch_all = [&](bool on) {
    for (std::uint16_t i = 0; i < town.node.partitions(); ++i)
      town.node.partition(PartitionId(i)).limits.fallback.enabled = on;
  };
  switch_all(false);
  town.say(town.ben, town.where, "one");
  town.minutes(25 * 60);
  CHECK(town.carrier.sent.empty());
  CHECK(mail_timers(town).empty());
  switch_all(true);
  town.say(town.ben, town.where, "two");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 1);
  CHECK(town.carrier.sent.front().texts() == Texts{"two"});
}

TEST_CASE("Fallback: users without mail cost delivery nothing: no event, no timer, no row") {
  Two town;
  town.say(town.anna, town.where, "to ben, who has no address");
  for (const log::Event& event : town.node.events()) CHECK_FALSE(event.has_missed_possible());
  CHECK(town.mailbox(town.ben).watch() == state::Mailbox::OFF);
  CHECK(mail_timers(town).empty());
}

TEST_CASE("Fallback: a deleted account gets no mail and leaves no rows behind") {
  Two town;
  town.settings(town.anna, v1::MAIL_CONTENT, 60);
  town.carrier.is_down = true;
  town.say(town.ben, town.where, "one");
  town.minutes(2);
  town.say(town.ben, town.where, "two");
  town.ask(town.anna, requests::delete_account("correct horse"));
  town.carrier.is_down = false;
  town.minutes(60);
  CHECK(town.carrier.sent.empty());
  CHECK(rows_of(town, keys::Family::mail_settings).empty());
  CHECK(rows_of(town, keys::Family::missed).empty());
  CHECK(rows_of(town, keys::Family::intent).empty());
}

}  // namespace holdfast::services
