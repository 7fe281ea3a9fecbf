#include "server/services/delivery.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>

#include "proto/state.pb.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

const ConversationId kTalk({9});
constexpr std::uint16_t kPartitions = 4;

/// The `n`-th user of a partition.
UserId user(std::uint8_t partition, std::uint8_t n = 0) { return UserId({0, partition, n, 1}); }

class MapView final : public chat::View {
 public:
  std::map<std::string, std::string> rows;
  bool in_memory = true;

  const std::string* row(std::string_view key) override {
    if (!in_memory) return missing_ = true, nullptr;
    const auto at = rows.find(std::string(key));
    return at == rows.end() ? nullptr : &at->second;
  }
  const std::vector<Row>* range(const Range& range) override {
    if (!in_memory) return missing_ = true, nullptr;
    auto& found = *ranges_.emplace_back(std::make_unique<std::vector<Row>>());
    for (auto at = rows.lower_bound(range.from); at != rows.end() && at->first < range.until; ++at)
      found.push_back({at->first, at->second});
    return &found;
  }
  const std::vector<Row>* exact_range(const Range& range) override { return this->range(range); }
  bool missing() const override { return missing_; }

 private:
  bool missing_ = false;
  std::vector<std::unique_ptr<std::vector<Row>>> ranges_;
};

struct Fixture {
  chat::Limits limits;
  MapView view;
  log::Entry entry;

  Fixture() {
    entry.set_seq(7);
    entry.add_writes()->set_key("another row");
  }
  void member(const UserId& id, std::vector<std::pair<std::uint64_t, std::uint64_t>> intervals) {
    state::MemberRow row;
    for (const auto& [joined, left] : intervals) {
      row.add_intervals()->set_joined(joined);
      row.mutable_intervals()->rbegin()->set_left(left);
    }
    view.rows[keys::member(kTalk, id)] = row.SerializeAsString();
  }
  log::ChangeMade& change(const v1::Change& what, std::uint32_t members = 3) {
    log::Write& write = *entry.add_writes();
    write.set_key(keys::change(kTalk, what.number()));
    write.set_put(what.SerializeAsString());
    log::ChangeMade& made = *entry.add_events()->mutable_change_made();
    made.set_conversation(kTalk.str());
    made.set_number(what.number());
    made.set_write_index(static_cast<std::uint32_t>(entry.writes_size() - 1));
    made.set_member_count(members);
    return made;
  }
  static v1::Change post(std::uint64_t number, std::size_t bytes = 10) {
    v1::Change change;
    change.set_number(number);
    change.set_posts(number);
    change.set_author(user(0).str());
    change.mutable_posted()->set_body(std::string(bytes, 'x'));
    return change;
  }
  bus::Outcome run() {
    bus::Outcome outcome;
    const Delivery delivery(limits);
    delivery.on_event({PartitionId(2), kPartitions, entry, static_cast<std::uint32_t>(entry.events_size() - 1)}, view,
                      outcome);
    return outcome;
  }
};

std::map<std::uint16_t, std::vector<std::string>> users_of(const bus::Outcome& outcome) {
  std::map<std::uint16_t, std::vector<std::string>> users;
  for (const auto& [target, command] : outcome.commands) {
    CHECK_FALSE(users.contains(target.value));  // at most one command for each partition
    for (const auto& one : command.deliver().users()) users[target.value].push_back(one);
  }
  return users;
}

TEST_CASE("Delivery: a change goes to the members whose interval covers its number, once for each partition (H8)") {
  Fixture f;
  f.member(user(0), {{1, 0}});
  f.member(user(1), {{1, 5}});             // left before
  f.member(user(1, 1), {{6, 0}});          // joined after
  f.member(user(1, 2), {{1, 3}, {5, 0}});  // came back with this very number
  f.member(user(3), {{1, 6}});             // leaves with the next
  f.member(user(3, 1), {{2, 0}});
  f.change(f.post(5));
  const auto users = users_of(f.run());
  CHECK(users == std::map<std::uint16_t, std::vector<std::string>>{
                     {0, {user(0).str()}}, {1, {user(1, 2).str()}}, {3, {user(3).str(), user(3, 1).str()}}});
}

TEST_CASE("Delivery: who is removed gets the word of it, and nothing behind it") {
  Fixture f;
  v1::Change left;
  left.set_number(4);
  left.set_author(user(0).str());
  left.mutable_member_left()->set_user_id(user(1).str());
  f.member(user(0), {{1, 0}});
  f.member(user(1), {{1, 5}});  // as the rule writes it: up to and including the removal
  f.change(left);
  const auto outcome = f.run();
  CHECK(users_of(outcome).at(1) == std::vector{user(1).str()});
  CHECK(outcome.commands[0].second.deliver().update().left() == user(1).str());
  f.change(f.post(5));
  CHECK_FALSE(users_of(f.run()).contains(1));
}

TEST_CASE("Delivery: what is little over all members stands whole, the rest as references, large groups as heads") {
  Fixture f;
  f.limits.whole_members_max = 100;
  f.limits.whole_bytes_max = 1024;
  f.member(user(0), {{1, 0}});
  f.change(f.post(5), 100);
  const auto whole = f.run().commands.at(0).second.deliver();
  CHECK(whole.change() == f.post(5).SerializeAsString());
  CHECK(whole.is_post());
  f.change(f.post(6), 1'000);
  CHECK(f.run().commands.at(0).second.deliver().has_change());
  f.change(f.post(6, 900), 100);
  CHECK(f.run().commands.at(0).second.deliver().has_change());
  f.change(f.post(6, 900), 300);
  CHECK(f.run().commands.at(0).second.deliver().reference());
  f.change(f.post(7, 1100), 3);
  CHECK(f.run().commands.at(0).second.deliver().reference());
  f.change(f.post(8), 2000).set_large(true);
  const auto head = f.run().commands.at(0).second.deliver();
  CHECK(head.head());
  CHECK(head.number() == 8);
  CHECK(head.posts() == 8);
}

TEST_CASE("Delivery: a direct conversation names its recipients, and no row is read") {
  Fixture f;
  f.view.in_memory = false;
  auto& made = f.change(f.post(2), 2);
  made.set_direct(true);
  made.add_recipients(user(0).str());
  made.add_recipients(user(3).str());
  const auto outcome = f.run();
  CHECK_FALSE(f.view.missing());
  CHECK(users_of(outcome).size() == 2);
  CHECK(outcome.commands[0].second.deliver().kind() == v1::DIRECT);
}

TEST_CASE("Delivery: what is not in memory is asked for, and the step counts for nothing") {
  Fixture f;
  f.view.in_memory = false;
  f.change(f.post(2));
  f.run();
  CHECK(f.view.missing());
}

TEST_CASE("Delivery: the lists of those who join learn role, title and peer") {
  Fixture f;
  state::Conversation conversation;
  conversation.set_title("Jungle");
  f.view.rows[keys::conversation(kTalk)] = conversation.SerializeAsString();
  f.member(user(0), {{1, 0}});
  v1::Change change;
  change.set_number(4);
  change.set_author(user(0).str());
  change.mutable_members_added()->add_members(user(1).str());
  f.change(change);
  const auto added = f.run().commands.at(0).second.deliver().update();
  CHECK(added.title() == "Jungle");
  REQUIRE(added.added_size() == 1);
  CHECK(added.added(0).user() == user(1).str());
  CHECK(added.added(0).role() == v1::MEMBER);

  change.clear_what();
  change.mutable_role_changed()->set_user_id(user(1).str());
  change.mutable_role_changed()->set_role(v1::OWNER);
  f.change(change);
  const auto role = f.run().commands.at(0).second.deliver().update();
  CHECK(role.role_of() == user(1).str());
  CHECK(role.demoted() == user(0).str());
}

TEST_CASE("Delivery: a position goes to its owner's list, and to the other members that are connected") {
  Fixture f;
  f.member(user(0), {{1, 0}});
  f.member(user(1), {{1, 0}});
  f.member(user(3), {{1, 4}});  // gone
  auto& moved = *f.entry.add_events()->mutable_position_moved();
  moved.set_conversation(kTalk.str());
  moved.set_user(user(0).str());
  moved.set_read(5);
  moved.set_tell_members(true);
  const auto outcome = f.run();
  REQUIRE(outcome.commands.size() == 1);
  CHECK(outcome.commands[0].first == PartitionId(0));
  CHECK(outcome.commands[0].second.apply_position().read() == 5);
  REQUIRE(outcome.tells.size() == 1);
  CHECK(outcome.tells[0].users == std::vector{user(1)});
}

TEST_CASE("Delivery: a deleted account is led out of its conversations, and its name out of what it said") {
  Fixture f;
  auto& deleted = *f.entry.add_events()->mutable_member_deleted();
  deleted.set_conversation(kTalk.str());
  deleted.set_user(user(1).str());
  auto outcome = f.run();
  REQUIRE(outcome.commands.size() == 1);
  CHECK(outcome.commands[0].first == partition_of(kTalk, kPartitions));
  CHECK(outcome.commands[0].second.remove_deleted_member().user() == user(1).str());
  auto& erase = *f.entry.add_events()->mutable_author_to_erase();
  erase.set_conversation(kTalk.str());
  erase.set_user(user(1).str());
  erase.set_from(201);
  outcome = f.run();
  REQUIRE(outcome.commands.size() == 1);
  CHECK(outcome.commands[0].first == PartitionId(2));
  CHECK(outcome.commands[0].second.erase_author().from() == 201);
}

TEST_CASE("Delivery: events for others lead to nothing") {
  Fixture f;
  f.entry.add_events()->mutable_account_created();
  const auto outcome = f.run();
  CHECK(outcome.commands.empty());
  CHECK(outcome.tells.empty());
}

}  // namespace
}  // namespace holdfast::services
