#include <catch2/catch.hpp>

#include "tools/holdfast-chaos/checker.h"

using namespace holdfast::chaos;

namespace {

constexpr Micros kSecond = 1'000'000;

/// A reader who stays away and one who comes, each with a talk of three letters; the second one's other talk is muted. The
/// letters are of the seconds 1 to 9; the first three are in one mail, of the others the first was mailed and the next two
/// were acknowledged in time.
History good() {
  History history;
  MailHistory& mail = history.mail;
  mail.readers = {{"reader0", "r0@inbox.test", true}, {"reader1", "r1@inbox.test", false}};
  mail.talks = {{0, false}, {1, false}, {1, true}};
  for (std::uint32_t i = 0; i < 9; ++i) {
    Letter letter;
    letter.talk = i / 3;
    letter.acked = (i + 1) * kSecond;
    letter.number = i % 3 + 2;
    letter.shown = 40 * kSecond;
    letter.times_shown = 1;
    letter.acknowledged = i / 3 == 0 ? 41 * kSecond : 10 * kSecond;
    mail.letters.push_back(letter);
  }
  mail.mails = {{6 * kSecond, 6 * kSecond + 1'000, false, "<a@chaos.test>", 0, {0, 1, 2}, 0},
                {9 * kSecond, 9 * kSecond + 1'000, false, "<b@chaos.test>", 1, {3}, 0}};
  history.sending_ended = 30 * kSecond;
  history.settled = 31 * kSecond;
  return history;
}

std::string all(const std::vector<Violation>& found) {
  std::string text;
  for (const auto& one : found) text += std::string(rule_of(one.kind)) + " " + one.text + "\n";
  return text;
}

void expect(const History& history, const std::map<Kind, std::size_t>& expected, const std::string& words = "") {
  const auto found = check(history);
  INFO(all(found));
  CHECK(count(found) == expected);
  CHECK_THAT(all(found), Catch::Contains(words));
}

/// The first mail once more, under its own Message-ID.
History repeated() {
  History history = good();
  Mail again = history.mail.mails[0];
  again.offered = 12 * kSecond;
  again.taken = again.offered + 1'000;
  history.mail.mails.push_back(again);
  return history;
}

/// A letter that its reader had acknowledged eight seconds before it was offered.
History unwanted() {
  History history = good();
  history.mail.mails.push_back({18 * kSecond, 18 * kSecond, false, "<c@chaos.test>", 1, {4}, 0});
  return history;
}

}  // namespace

TEST_CASE("Chaos checker: mails as they should be are no violation (H11)") { expect(good(), {}); }

TEST_CASE("Chaos checker: a letter to somebody who stays away that is in no mail is missing (H11)") {
  History history = good();
  history.mail.mails[0].letters = {0, 2};
  expect(history, {{Kind::mail_missing, 1}}, "H11 letter 1 to reader0 was acknowledged at 2000 ms, and is in no mail");
}

TEST_CASE("Chaos checker: a mail that the relay refused carries nothing (H11)") {
  History history = good();
  history.mail.mails[0].refused = true;
  expect(history, {{Kind::mail_missing, 3}}, "letter 0 to reader0");
}

TEST_CASE("Chaos checker: what was not acknowledged to its author, was deleted or is muted need not be mailed (H11)") {
  History history = good();
  history.mail.mails.clear();
  history.mail.letters[0].acked = -1;
  history.mail.letters[1].delete_asked = 2 * kSecond;
  history.mail.talks[0].muted = true;
  expect(history, {});
  history.mail.talks[0].muted = false;
  expect(history, {{Kind::mail_missing, 1}}, "letter 2");
}

TEST_CASE("Chaos checker: a mail counts what it has no room for, and no more (H11)") {
  History history = good();
  history.mail.mails[0].letters = {0};
  history.mail.mails[0].more = 2;
  expect(history, {});
  history.mail.mails[0].more = 1;
  expect(history, {{Kind::mail_missing, 1}}, "letter 2 to reader0");
}

TEST_CASE("Chaos checker: a letter in two mails was mailed twice (H11)") {
  History history = good();
  history.mail.mails.push_back({9 * kSecond, 9 * kSecond, false, "<c@chaos.test>", 0, {2}, 0});
  expect(history, {{Kind::mail_repeated, 1}},
         "letter 2 to reader0 is in mail <a@chaos.test> and in mail <c@chaos.test>");
}

TEST_CASE("Chaos checker: … also if something was broken meanwhile (H11)") {
  History history = good();
  history.mail.mails.push_back({9 * kSecond, 9 * kSecond, false, "<c@chaos.test>", 0, {2}, 0});
  history.faults = {{"kill", "n1", 6 * kSecond, 7 * kSecond, 8 * kSecond}};
  expect(history, {{Kind::mail_repeated, 1}});
}

TEST_CASE("Chaos checker: a mail comes again where something was broken, and only there (H11)") {
  History history = repeated();
  expect(history, {{Kind::mail_repeated, 1}}, "mail <a@chaos.test> came at 6001 ms and again at 12001 ms");
  history.faults = {{"kill", "n1", 7 * kSecond, 8 * kSecond, 9 * kSecond}};
  expect(history, {});
  history.faults = {{"kill", "n1", 13 * kSecond, 14 * kSecond, 15 * kSecond}};
  expect(history, {{Kind::mail_repeated, 1}});
}

TEST_CASE("Chaos checker: a mail that was told to come again comes again (H11)") {
  History history = repeated();
  history.mail.mails[0].refused = true;
  expect(history, {});
}

TEST_CASE("Chaos checker: what a device had acknowledged is not mailed (H11)") {
  expect(unwanted(), {{Kind::mail_unwanted, 1}},
         "letter 4 to reader1 was mailed at 18000 ms, having been acknowledged at 10000 ms");
}

TEST_CASE("Chaos checker: … nor offered and refused (H11)") {
  History history = unwanted();
  history.mail.mails.back().refused = true;
  expect(history, {{Kind::mail_unwanted, 1}});
}

TEST_CASE("Chaos checker: a mail may be on its way when a device acknowledges what it tells (H11)") {
  History history = unwanted();
  history.mail.mails.back().offered = 13 * kSecond;
  expect(history, {});
}

TEST_CASE("Chaos checker: a mail may wait for what a failover holds up, in half of the time that messages have (H11)") {
  History history = unwanted();
  history.mail.mails.back().offered = 14'900'000;
  expect(history, {{Kind::mail_unwanted, 1}});
  history.faults = {{"kill", "n1", 11 * kSecond, 12 * kSecond, 12 * kSecond}};
  expect(history, {});
  history.mail.mails.back().offered = 15'100'000;
  expect(history, {{Kind::mail_unwanted, 1}});
}

TEST_CASE("Chaos checker: a frozen node may have a mail in its hands, a killed one not (H11)") {
  History history = unwanted();
  history.faults = {{"pause", "n1", 9 * kSecond, 17 * kSecond, 17 * kSecond}};
  expect(history, {});
  history.faults[0].kind = "kill";
  expect(history, {{Kind::mail_unwanted, 1}});
}

TEST_CASE("Chaos checker: what was deleted is not mailed (H11)") {
  History history = good();
  history.mail.letters[1].delete_asked = kSecond;
  history.mail.letters[1].deleted = kSecond + 1'000;
  expect(history, {{Kind::mail_unwanted, 1}},
         "letter 1 to reader0 was mailed at 6000 ms, having been deleted at 1001 ms");
}

TEST_CASE("Chaos checker: what is muted is not mailed (H11)") {
  History history = good();
  history.mail.mails.push_back({12 * kSecond, 12 * kSecond, false, "<c@chaos.test>", 1, {6}, 0});
  expect(history, {{Kind::mail_unwanted, 1}}, "and the conversation is muted");
}

TEST_CASE("Chaos checker: nobody gets another's mail, nor one about a letter that nobody wrote (H11)") {
  History history = good();
  history.mail.mails.push_back({7 * kSecond, 7 * kSecond, false, "<c@chaos.test>", 0, {8, 77}, 0});
  expect(history, {{Kind::phantom, 2}}, "letter 8 to reader1 was mailed to reader0");
}

TEST_CASE("Chaos checker: who stayed away is shown every letter in the end, once (H2, H8)") {
  History history = good();
  history.mail.letters[0].shown = -1;
  history.mail.letters[0].times_shown = 0;
  history.mail.letters[5].times_shown = 2;
  expect(history, {{Kind::not_delivered, 1}, {Kind::duplicated, 1}}, "letter 0 to reader0 was acknowledged");
}

TEST_CASE("Chaos checker: a mail that can't be read leaves no verdict (H11)") {
  History history = good();
  history.mail.strange = {"a mail can't be read: there is no Message-ID"};
  expect(history, {{Kind::unchecked, 1}}, "there is no Message-ID");
}
