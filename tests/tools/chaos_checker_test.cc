#include <catch2/catch.hpp>

#include "tools/holdfast-chaos/checker.h"

using namespace holdfast::chaos;

namespace {

constexpr std::uint64_t kMessages = 6;

std::uint64_t content(std::uint64_t number) { return 1'000 + number; }

Sight sight(std::uint64_t number) {
  // Number 1 is the conversation's creation; the messages follow.
  Sight one{number, std::nullopt, content(number)};
  if (number > 1) one.operation = number - 2;
  return one;
}

/// Two users with a device each, who write in turns; all went well.
History good() {
  History history;
  history.devices = {{"ada/0", 0, {}, {}, {}, 0, ""}, {"bob/0", 1, {}, {}, {}, 0, ""}};
  history.conversations = {{"1f2e3d4c5b6a", {0, 1}, std::vector<Sight>{sight(1)}}};
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    const auto at = static_cast<Micros>(i) * 1'000;
    history.operations.push_back({static_cast<std::uint32_t>(i % 2), 0, at, at + 500, Operation::Outcome::ok, i + 2});
    history.conversations[0].read_back->push_back(sight(i + 2));
  }
  for (Device& device : history.devices)
    for (std::uint64_t n = 1; n <= kMessages + 1; ++n)
      device.shown.push_back({static_cast<Micros>(n) * 1'000, n, 0, sight(n)});
  history.visits = {{1, 4'000, 5'000, "logged out", {{"n1:1", 1'000, 1'500, true}, {"n2:1", 5'100, 5'200, false}}}};
  history.partitions = 1;
  history.copies = 3;
  for (const char* node : {"n1", "n2", "n3"}) history.replicas.push_back({node, 0, 9, 9, "abcd"});
  history.faults = {{"kill", "n1", 1'500, 3'500, 4'000}};
  history.sending_ended = 10'000;
  history.settled = 11'000;
  return history;
}

std::vector<Sight>& stored(History& history) { return *history.conversations[0].read_back; }
std::vector<Shown>& shown(History& history, std::size_t device) { return history.devices[device].shown; }

std::string all(const std::vector<Violation>& found) {
  std::string text;
  for (const auto& one : found) text += std::string(rule_of(one.kind)) + " " + one.text + "\n";
  return text;
}

/// Exactly these, so many of each.
void expect(const History& history, const std::map<Kind, std::size_t>& expected, const std::string& words) {
  const auto found = check(history);
  INFO(all(found));
  CHECK(count(found) == expected);
  CHECK_THAT(all(found), Catch::Contains(words));
}

}  // namespace

TEST_CASE("Chaos checker: a good history has no violation") {
  const auto found = check(good());
  INFO(all(found));
  CHECK(found.empty());
}

TEST_CASE("Chaos checker: an acknowledged message that is gone is lost (H1)") {
  History history = good();
  stored(history).pop_back();
  for (Device& device : history.devices) device.shown.pop_back();
  expect(history, {{Kind::lost, 1}}, "message 5 of bob/0 in conversation 0 (1f2e3d4c) was acknowledged as 7");
}

TEST_CASE("Chaos checker: a lost message that somebody had seen is a phantom, too (H1, H6)") {
  History history = good();
  stored(history).pop_back();
  expect(history, {{Kind::lost, 1}, {Kind::phantom, 2}}, "H6 ada/0 was shown number 7");
}

TEST_CASE("Chaos checker: a message stored twice is duplicated (H2)") {
  History history = good();
  Sight again = sight(7);
  again.number = 8;
  stored(history).push_back(again);
  for (std::size_t i = 0; i < 2; ++i) shown(history, i).push_back({9'000, 8, 0, again});
  // In the store, and on each of the two devices.
  expect(history, {{Kind::duplicated, 3}}, "has at number 8 message 5 of bob/0 again");
}

TEST_CASE("Chaos checker: a change shown twice to one device is duplicated (H2)") {
  History history = good();
  shown(history, 1).push_back({9'000, 8, 0, sight(4)});
  expect(history, {{Kind::duplicated, 1}}, "bob/0 was shown number 4 of conversation 0 (1f2e3d4c) (message 2");
}

TEST_CASE("Chaos checker: two changes shown in the wrong order are out of order (H3)") {
  History history = good();
  std::swap(shown(history, 0)[3].sight, shown(history, 0)[4].sight);
  expect(history, {{Kind::out_of_order, 1}}, "ada/0 was shown number 4 of conversation 0 (1f2e3d4c)");
}

TEST_CASE("Chaos checker: messages of one device that changed places are out of order (H3)") {
  History history = good();
  // Messages 0 and 2 are ada's; neither had an answer, and everybody saw them the wrong way round.
  for (const std::uint64_t id : {0, 2}) history.operations[id].outcome = Operation::Outcome::unknown;
  const auto swap = [](Sight& one, Sight& other) {
    std::swap(one.operation, other.operation);
    std::swap(one.content, other.content);
  };
  swap(stored(history)[1], stored(history)[3]);
  for (std::size_t i = 0; i < 2; ++i) swap(shown(history, i)[1].sight, shown(history, i)[3].sight);
  const auto found = check(history);
  INFO(all(found));
  CHECK(count(found)[Kind::out_of_order] == 1);
  CHECK_THAT(all(found), Catch::Contains("H3 message 2 of ada/0"));
}

TEST_CASE("Chaos checker: a message that stands elsewhere than acknowledged is out of order (H3)") {
  History history = good();
  history.operations[5].number = 9;
  expect(history, {{Kind::out_of_order, 1}}, "was acknowledged as 9, and stands at 7");
}

TEST_CASE("Chaos checker: a gap in the numbers is out of order (H3)") {
  History history = good();
  stored(history)[6].number = 8;
  history.operations[5].number = 8;
  for (std::size_t i = 0; i < 2; ++i) shown(history, i)[6].sight.number = 8;
  expect(history, {{Kind::out_of_order, 1}}, "has at number 8 what should stand at 7");
}

TEST_CASE("Chaos checker: another content under a number than was shown is altered (H4)") {
  History history = good();
  shown(history, 1)[4].sight.content ^= 1;
  expect(history, {{Kind::altered, 1}}, "bob/0 was shown number 5");
}

TEST_CASE("Chaos checker: a stored message that is not as it was sent is altered (H4)") {
  History history = good();
  stored(history)[4].damaged = true;
  expect(history, {{Kind::altered, 1}}, "a message that is not as it was sent");
}

TEST_CASE("Chaos checker: an inbox position that does not rise went back (H5)") {
  History history = good();
  shown(history, 0)[5].position = 5;
  expect(history, {{Kind::went_back, 1}}, "ada/0 was shown number 6");
}

TEST_CASE("Chaos checker: an inbox that ends before what it had shown went back (H5)") {
  History history = good();
  history.devices[0].resumed = {{5'000, 300, 4, 4}};
  CHECK(check(history).empty());
  history.devices[0].resumed = {{5'000, 300, 3, 4}};
  expect(history, {{Kind::went_back, 1}}, "ada/0 came back to an inbox that ends at 3, having been shown 4");
}

TEST_CASE("Chaos checker: a device reads what it was told before (H5)") {
  History history = good();
  history.devices[0].reads = {{0, 600, 900, 2}};  // message 0 was answered at 500, as number 2
  CHECK(check(history).empty());
  history.devices[0].reads = {{0, 600, 900, 1}};
  expect(history, {{Kind::went_back, 1}}, "having had number 2 acknowledged");
}

TEST_CASE("Chaos checker: a session that ended by itself is a finding (H5)") {
  History history = good();
  history.devices[1].session_ended = "SESSION_ENDED: revoked";
  expect(history, {{Kind::went_back, 1}}, "bob/0 lost its session: SESSION_ENDED");
}

TEST_CASE("Chaos checker: a message shown that is not stored is a phantom (H6)") {
  History history = good();
  history.operations.push_back({0, 0, 8'000, 0, Operation::Outcome::unknown, 0});
  shown(history, 1).push_back({9'000, 8, 0, {8, 6, content(8)}});
  // Never answered, so H12 has something to say as well; H6 is about what was shown.
  history.faults.clear();
  expect(history, {{Kind::phantom, 1}}, "bob/0 was shown number 8 of conversation 0 (1f2e3d4c) (message 6 of ada/0)");
}

TEST_CASE("Chaos checker: what nobody sent is a phantom (H6)") {
  History history = good();
  stored(history)[6].operation = 77;
  history.operations[5].outcome = Operation::Outcome::unknown;
  history.faults.clear();
  for (std::size_t i = 0; i < 2; ++i) shown(history, i)[6].sight.operation = 77;
  expect(history, {{Kind::phantom, 1}}, "which nobody sent");
}

TEST_CASE("Chaos checker: a message refused for good and stored is found (H7)") {
  History history = good();
  history.operations[5].outcome = Operation::Outcome::refused;
  for (std::size_t i = 0; i < 2; ++i) shown(history, i).pop_back();
  const auto found = check(history);
  INFO(all(found));
  // Stored, and so due to both devices, who were not shown it.
  CHECK(count(found) == std::map<Kind, std::size_t>{{Kind::refused_seen, 1}, {Kind::not_delivered, 2}});
  CHECK_THAT(all(found),
             Catch::Contains("message 5 of bob/0 in conversation 0 (1f2e3d4c) was refused, and stands at 7"));
}

TEST_CASE("Chaos checker: an answer that never came is no failure, wherever the message is") {
  History history = good();
  history.faults.clear();
  history.operations[5].outcome = Operation::Outcome::unknown;
  CHECK(check(history).empty());
  stored(history).pop_back();
  for (std::size_t i = 0; i < 2; ++i) shown(history, i).pop_back();
  CHECK(check(history).empty());
}

TEST_CASE("Chaos checker: a change that one device was never shown is not delivered (H8)") {
  History history = good();
  shown(history, 1).erase(shown(history, 1).begin() + 3);
  expect(history, {{Kind::not_delivered, 1}}, "bob/0 was never shown number 4 of conversation 0 (1f2e3d4c) (message 2");
}

TEST_CASE("Chaos checker: an ended session that is accepted afterwards is found (H9)") {
  History history = good();
  history.visits[0].tries.push_back({"n3:1", 5'001, 5'050, true});
  expect(history, {{Kind::revoked_accepted, 1}},
         "session 0 of user1 was accepted by n3:1 at 5 ms, having ended (logged");
}

TEST_CASE("Chaos checker: while its end is not acknowledged, a session may be accepted or refused (H9)") {
  History history = good();
  history.visits[0].tries.push_back({"n3:1", 4'500, 5'050, true});
  CHECK(check(history).empty());
  history.visits[0].tries = {{"n3:1", 4'500, 4'700, false}};
  CHECK(check(history).empty());
}

TEST_CASE("Chaos checker: a session that one node refused and another accepts later is found (H9)") {
  History history = good();
  history.visits[0].acked = -1;
  history.visits[0].tries.push_back({"n3:1", 5'201, 5'300, true});
  expect(history, {{Kind::revoked_accepted, 1}}, "accepted by n3:1");
}

TEST_CASE("Chaos checker: a session that is refused and nobody had ended went back (H5)") {
  History history = good();
  history.visits[0].tries.push_back({"n3:1", 2'000, 2'100, false});
  const auto found = check(history);
  INFO(all(found));
  CHECK(count(found)[Kind::went_back] == 1);
  CHECK_THAT(all(found), Catch::Contains("was refused by n3:1 at 2 ms, and nobody had ended it"));
}

TEST_CASE("Chaos checker: a copy with another history diverged (H10)") {
  History history = good();
  history.replicas[1].chain = "abce";
  expect(history, {{Kind::diverged, 1}}, "partition 0 has another history on n2 than on n1 up to 9");
}

TEST_CASE("Chaos checker: a copy too few is found (H10)") {
  History history = good();
  history.replicas.pop_back();
  expect(history, {{Kind::diverged, 1}}, "partition 0 has 2 copies, and should have 3");
}

TEST_CASE("Chaos checker: a message that waits too long after a fault was undone is found (H12)") {
  History history = good();
  history.operations[2].completed = 3'500 + 9'999'999;
  CHECK(check(history).empty());
  history.operations[2].completed = 3'500 + 10'000'001;
  expect(history, {{Kind::not_recovered, 1}}, "message 2 of ada/0");
}

TEST_CASE("Chaos checker: a cluster that does not become whole again is found (H12)") {
  History history = good();
  history.faults[0].healthy = -1;
  expect(history, {{Kind::not_recovered, 1}}, "after kill of n1");
}

TEST_CASE("Chaos checker: a node that ended by itself is found") {
  History history = good();
  history.crashes = {"n2: signal 6"};
  expect(history, {{Kind::crashed, 1}}, "n2: signal 6");
}

TEST_CASE("Chaos checker: a conversation that could not be read leaves no verdict") {
  History history = good();
  history.conversations[0].read_back.reset();
  expect(history, {{Kind::unchecked, 1}}, "could not be read back");
}
