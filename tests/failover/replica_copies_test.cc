#include "failover/replica.h"

#include <catch2/catch.hpp>

#include "tests/failover/replica_fixture.h"

namespace holdfast::failover {
namespace {

using Texts = std::vector<std::string>;
const std::vector<Member> kAll{member(1), member(2), member(3)};
const std::vector<Member> kTwo{member(1), member(2)};
const WallTime kNow = Replicas::kNow;

/// Three nodes, the first leads epoch 1 and is open.
struct Open : Replicas {
  explicit Open(const std::vector<Member>& in_sync = kAll, Replica::Options options = Replica::Options())
      : Replicas(3, options) {
    configure(row(1, 1, 1, in_sync));
    settle();
    REQUIRE((*this)[1].role() == Role::primary);
  }
};

TEST_CASE("Replica: committed history that differs quarantines, and nothing is repaired (2.8, I11)") {
  Open open;
  open.append(1, "a");
  open.settle();
  open.pass(std::chrono::milliseconds(150));
  open.settle();
  REQUIRE(open[2].committed() == Seq(2));
  open[2].configured(row(2, 2, 3, kAll));
  peer::Replication message;
  message.set_epoch(2);
  message.mutable_append()->set_previous_seq(2);
  message.mutable_append()->set_previous_chain(std::string(32, 'x'));
  message.mutable_append()->set_previous_epoch(2);
  open[2].received(member(3), message);
  open.pump();
  CHECK(open[2].role() == Role::quarantined);
  CHECK(open.log_of(2) == Texts{"start 1", "a"});
  CHECK_FALSE(open.at(2).trouble.empty());
}

TEST_CASE("Replica: a leader that lost what others know to be committed is quarantined, and not they (F6, J2)") {
  Open open;
  for (const char* key : {"a", "b"}) {
    open.append(1, key);
    open.settle();
  }
  open.pass(std::chrono::milliseconds(150));
  open.settle();
  REQUIRE(open[3].committed() == Seq(3));
  open.at(2).log.pop_back();  // and nothing of its disk says so
  open.restart(2);
  open.configure(row(2, 2, 2, kAll));
  open.settle();
  CHECK(open[2].role() == Role::quarantined);
  CHECK(open.at(2).trouble.find("knows entry 3 as committed, and this log ends at 2") != std::string::npos);
  for (const std::uint32_t sound : {1u, 3u}) {
    CHECK(open[sound].role() == Role::backup);
    CHECK(open.log_of(sound) == Texts{"start 1", "a", "b"});
  }
  open.configure(row(3, 3, 3, {member(1), member(3)}));
  open.settle();
  CHECK(open[3].role() == Role::primary);
  open.pass(std::chrono::milliseconds(150));
  open.settle();
  CHECK(open.at(1).committed == Texts{"start 1", "a", "b", "start 3"});
}

struct LeftBehind : Open {
  /// 2 leaves the set, and hears nothing more.
  void leave_behind() {
    configure(row(2, 1, 1, {member(1), member(3)}, 2, {1, 3}));
    settle();
    cut(2);
  }
};

/// 1 and 3 have committed "a", "b" and "c" and are gone; an operator went on with 2, which had no more than "a".
struct WentOn : LeftBehind {
  WentOn() {
    append(1, "a");
    settle();
    leave_behind();
    for (const char* key : {"b", "c"}) {
      append(1, key);
      settle();
    }
    pass(std::chrono::milliseconds(150));
    settle();
    REQUIRE((*this)[1].committed() == Seq(4));
    REQUIRE(log_of(2) == Texts{"start 1", "a"});
    for (const std::uint32_t old : {1u, 3u}) cut(old);
    alone_.config.set_recovered_epoch(9);
    (*this)[2].configured(alone_);
    settle();
    REQUIRE((*this)[2].role() == Role::primary);
    REQUIRE(log_of(2) == Texts{"start 1", "a", "start 9"});
  }
  /// An old node is back, with all that it had.
  void comes_back(std::uint32_t node) {
    restart(node, 0);
    for (const std::uint32_t other : {2u, node}) mend(other);
  }
  void ask_again() {
    for (int i = 0; i < 3; ++i) {
      pass(std::chrono::milliseconds(300));
      settle();
    }
  }
  /// What the whole copy of 2 is like.
  Recovered whole() {
    const auto& last = at(2).log.back();
    return {.last_seq = last.encoded->seq,
            .last_epoch = Epoch(last.entry->epoch()),
            .last_chain = last.encoded->chain,
            .last_time = kNow,
            .epoch_starts = at(2).epoch_starts};
  }
  bool may_install(std::uint32_t node) {
    return (*this)[node].begin_install(Epoch(9), whole().last_seq, whole().last_chain);
  }
  const PartitionRow& alone() const { return alone_; }

 private:
  PartitionRow alone_ = row(5, 9, 2, {member(2)}, 1, {1, 2});
};

TEST_CASE("Replica: who comes back after an unsafe recovery with more than was gone on with deposes nobody") {
  WentOn on;
  on.comes_back(1);
  on[1].configured(on.alone());
  on.ask_again();
  CHECK(on[2].role() == Role::primary);
  CHECK(on.at(2).trouble.empty());
  CHECK(on[1].role() == Role::backup);
  REQUIRE(on.at(2).snapshots == std::vector<NodeId>{NodeId(1)});  // it is to have the whole
  REQUIRE(on.may_install(1));
  on.at(1).log = on.at(2).log;
  on[1].installed(on.whole());
  on[2].snapshot_taken(NodeId(1), on.whole().last_seq);
  on.append(2, "d");
  on.ask_again();
  CHECK(on.log_of(1) == Texts{"start 1", "a", "start 9", "d"});
  CHECK(on[1].last_chain() == on[2].last_chain());
  REQUIRE(on.at(2).wanted.size() == 1);  // and it may count again
  CHECK(on.at(2).wanted.front().wanted.in_sync_size() == 2);
}

TEST_CASE(
    "Replica: what was gone on with may have grown longer since, and who comes back is filled anew all the same") {
  WentOn on;
  for (const char* key : {"d", "e", "f"}) {
    on.append(2, key);
    on.settle();
  }
  on.comes_back(1);
  SECTION("it knows of the recovery") { on[1].configured(on.alone()); }
  SECTION("it hears of it a little later") {
    on.ask_again();
    CHECK(on.at(1).trouble.empty());
    on[1].configured(on.alone());
  }
  on.ask_again();
  CHECK(on[1].role() == Role::backup);
  CHECK(on.at(1).trouble.empty());
  CHECK(on[2].role() == Role::primary);
  CHECK_FALSE(on.at(2).snapshots.empty());
  CHECK(on.may_install(1));
}

TEST_CASE("Replica: a copy that counts gives nothing up, whatever an operator did in an earlier epoch (I4)") {
  WentOn on;
  on.comes_back(1);
  PartitionRow later = row(6, 9, 2, {member(1), member(2)}, 1, {1, 2});
  later.config.set_recovered_epoch(9);
  on[1].configured(later);
  CHECK_FALSE(on.may_install(1));
}

TEST_CASE("Replica: without a recovery also a copy that does not count knows better than a leader that lacks it (F6)") {
  // As when the store came back older: whoever stands in it as in sync was left behind since.
  LeftBehind open;
  open.leave_behind();
  for (const char* key : {"a", "b"}) {
    open.append(1, key);
    open.settle();
  }
  for (const std::uint32_t old : {1u, 3u}) open.cut(old);
  open[2].configured(row(5, 9, 2, {member(2)}, 1, {1, 2}));
  for (const std::uint32_t node : {1u, 2u}) open.mend(node);
  for (int i = 0; i < 3; ++i) {
    open.pass(std::chrono::milliseconds(300));
    open.settle();
  }
  CHECK(open[2].role() == Role::quarantined);
  CHECK(open.log_of(1) == Texts{"start 1", "a", "b"});
}

TEST_CASE("Replica: a tail nobody else has is cut off when the new leader's differs, and never below commit (2.8)") {
  Open open;
  open.append(1, "a");
  open.settle();
  open.cut(1);
  open.append(1, "only here");
  open.pump();
  open.configure(row(2, 2, 2, {member(2), member(3)}));
  open.settle();
  REQUIRE(open[2].role() == Role::primary);
  open.append(2, "b");
  open.settle();
  open.mend(1);
  for (int i = 0; i < 3; ++i) {
    open.pass(std::chrono::milliseconds(300));
    open.settle();
  }
  CHECK(open.log_of(1) == Texts{"start 1", "a", "start 2", "b"});
  CHECK(open.at(1).committed == Texts{"start 1", "a", "start 2", "b"});
}

/// `bytes` behind entry `previous` of a log, as the primary of epoch 2 sends it.
peer::Replication append_of(const EncodedEntry& previous, std::uint64_t previous_epoch, const std::string& bytes) {
  peer::Replication message;
  message.set_epoch(2);
  auto& append = *message.mutable_append();
  append.set_previous_seq(previous.seq.value);
  append.set_previous_epoch(previous_epoch);
  append.set_previous_chain(std::string(as_bytes(previous.chain)));
  append.add_entries(bytes);
  return message;
}

TEST_CASE("Replica: a tail that is cut off twice in one turn leaves nothing of itself in the log (I3)") {
  Open open;
  for (const char* key : {"a", "b", "c"}) {
    open.append(1, key);
    open.settle();
  }
  REQUIRE(open.log_of(3) == Texts{"start 1", "a", "b", "c"});
  open.restart(3, 3);  // and does not know that any of it is committed
  REQUIRE(open[3].committed() == Seq(1));
  const auto before = [&](std::size_t seq) { return *open.at(3).log[seq - 2].encoded; };
  log::Entry other = Replicas::body("other");
  other.set_epoch(2);
  other.set_seq(3);
  other.set_time_ms(to_ms(kNow));
  open.at(3).disk_waits = true;
  SECTION("the first is garbage, and changes nothing") {
    open[3].received(member(2), append_of(before(4), 1, "\xff\xff"));
    CHECK(open[3].last_seq() == Seq(4));
  }
  SECTION("the first is good") {
    other.set_seq(4);
    open[3].received(member(2), append_of(before(4), 1, other.SerializeAsString()));
    other.set_seq(3);
  }
  open[3].received(member(2), append_of(before(3), 1, other.SerializeAsString()));
  CHECK(open[3].last_seq() == Seq(3));
  open.pump();
  std::uint64_t left = 4;  // the last entry of the log database
  for (const LogWrite& write : open.at(3).unsynced) {
    if (write.cut) {
      CHECK(write.cut->last.value == left);
      left = write.cut->first.value - 1;
    }
    if (!write.entries.empty()) left = write.entries.back()->seq.value;
  }
  CHECK(left == 3);
}

TEST_CASE("Replica: a member that lost its disk is asked to leave, and its new disk to join (I12)") {
  Open open;
  open.start(member(3, 9), {});
  open.connect();
  open.pass(std::chrono::milliseconds(300));
  open.settle();
  REQUIRE_FALSE(open.at(1).wanted.empty());
  CHECK(in_sync_of(open.at(1).wanted[0].wanted) == kTwo);
  open.configure(row(2, 1, 1, kTwo));
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 2);
  CHECK(in_sync_of(open.at(1).wanted[1].wanted) == std::vector{member(1), member(2), member(3, 9)});
}

TEST_CASE("Replica: a barrier passes when every member that counts has answered it (2.11)") {
  Open open;
  const std::uint64_t wanted = open[1].want_barrier();
  open.pump();
  CHECK(open[1].barriers_passed() < wanted);
  open.cut(3);
  open.settle();
  CHECK(open[1].barriers_passed() < wanted);
  open.mend(3);
  open.pass(std::chrono::milliseconds(300));
  open.settle();
  CHECK(open[1].barriers_passed() >= wanted);
  CHECK(open[1].want_barrier() > wanted);
}

TEST_CASE("Replica: no barrier passes once a member has promised a later epoch (J9)") {
  Open open;
  open[2].configured(row(2, 2, 2, kAll));
  const std::uint64_t wanted = open[1].want_barrier();
  open.settle();
  CHECK(open[1].barriers_passed() < wanted);
}

TEST_CASE("Replica: nobody is taken for lost over a barrier of an earlier epoch (F6, 2.11)") {
  Open open;
  const std::uint64_t wanted = open[1].want_barrier();
  open.settle();
  REQUIRE(open[1].barriers_passed() >= wanted);
  open.configure(row(2, 2, 2, kAll));
  open.settle();
  open.at(3).disk_waits = true;
  open.configure(row(3, 3, 1, kAll));
  for (int i = 0; i < 5; ++i) {
    open.settle();
    open.pass(std::chrono::milliseconds(250));
  }
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);
  CHECK(in_sync_of(open.at(1).wanted[0].wanted) == kTwo);
  open.configure(row(4, 3, 1, kTwo));
  open.settle();
  REQUIRE(open[1].role() == Role::primary);
  const std::uint64_t again = open[1].want_barrier();
  CHECK(again > wanted);
  CHECK(open[1].barriers_passed() < again);
  open.settle();
  CHECK(open[1].barriers_passed() >= again);
}

TEST_CASE("Replica: the lead is handed to a member that has everything; until then nothing is admitted (F8)") {
  Open open;
  open.append(1, "a");
  CHECK(open[1].hand_off(Epoch(1), NodeId(2)));
  CHECK_FALSE(open[1].may_append());
  CHECK(open[1].is_leaving());
  open.pump();
  CHECK(open.at(1).wanted.empty());
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);
  const Reconfiguration& asked = open.at(1).wanted[0];
  CHECK(asked.wanted.epoch() == 2);
  CHECK(asked.wanted.primary().node() == 2);
  CHECK(asked.must_be_live == std::vector{NodeId(2)});
  CHECK(in_sync_of(asked.wanted) == kAll);
  open.configure({asked.wanted, 2});
  open.settle();
  CHECK(open[1].role() == Role::backup);
  CHECK(open[2].role() == Role::primary);
}

TEST_CASE("Replica: a hand-off that was refused, or to a stranger, leaves everything as it is (F8)") {
  Open open(kTwo);
  open[1].reconfigured(1, Outcome::refused);
  CHECK_FALSE(open[1].hand_off(Epoch(1), NodeId(3)));
  CHECK_FALSE(open[1].hand_off(Epoch(2), NodeId(2)));
  CHECK_FALSE(open[1].hand_off(Epoch(1), NodeId(1)));
  REQUIRE(open[1].hand_off(Epoch(1), NodeId(2)));
  open.settle();
  open[1].reconfigured(1, Outcome::refused);
  CHECK(open[1].may_append());
  CHECK_FALSE(open[1].is_leaving());
}

TEST_CASE("Replica: a hand-off of unknown outcome holds nothing up, and may still take effect (F8)") {
  Open open;
  REQUIRE(open[1].hand_off(Epoch(1), NodeId(2)));
  open.settle();
  REQUIRE(open.at(1).wanted.size() == 1);
  const Reconfiguration asked = open.at(1).wanted[0];
  open[1].reconfigured(1, Outcome::unknown);
  CHECK(open[1].may_append());
  CHECK_FALSE(open[1].is_leaving());
  CHECK_FALSE(open[1].hand_off(Epoch(1), NodeId(3)));
  open.append(1, "meanwhile");
  open.settle();
  open.configure({asked.wanted, 2});
  open.settle();
  CHECK(open[1].role() == Role::backup);
  CHECK(open[2].role() == Role::primary);
}

TEST_CASE("Replica: entries are needed from the first that a connected copy lacks") {
  Open open;
  open.append(1, "a");
  open.settle();
  CHECK(open[1].needed_from() == Seq(3));
  open.at(3).disk_waits = true;
  open.append(1, "b");
  open.settle();
  CHECK(open[1].needed_from() == Seq(3));
  open.cut(3);
  CHECK(open[2].needed_from() <= open[2].committed().next());
}

TEST_CASE(
    "Replica: what is not in memory any more is asked of the log, and what is trimmed comes as a snapshot (2.9)") {
  Replica::Options options;
  options.kept_bytes = 0;
  Open open(kTwo, options);
  for (const std::string text : {"a", "b"}) {
    if (!open.at(1).wanted.empty()) open[1].reconfigured(1, Outcome::refused);
    open.append(1, text);
    open.settle();
  }
  open.start(member(3, 9), {});
  open.connect();
  open.pass(std::chrono::milliseconds(300));
  open.settle();
  REQUIRE_FALSE(open.at(1).log_wanted.empty());
  CHECK(open.at(1).log_wanted.back().from == Seq(1));
  open[1].log_read({NodeId(3), Seq(0), Epoch(0), Hash32{}, {}});
  open.settle();
  CHECK(open.at(1).snapshots == std::vector{NodeId(3)});
}

TEST_CASE("Replica: what was read of the log in an earlier epoch is not sent in a later one (I3, 2.8)") {
  Replica::Options options;
  options.kept_bytes = 0;
  Open open(kTwo, options);
  const auto wipe_third = [&] {
    open.start(member(3, 9), {});
    open.connect();
    open.pass(std::chrono::milliseconds(300));
    open.settle();
  };
  wipe_third();
  REQUIRE(open.at(1).log_wanted.size() == 1);
  open.configure(row(2, 2, 2, kTwo));
  open.settle();
  open.configure(row(3, 3, 1, kTwo));
  open.settle();
  REQUIRE(open[1].role() == Role::primary);
  CHECK(open.at(1).log_wanted.size() == 1);  // the first is not answered yet
  open[1].log_read({NodeId(3), Seq(0), Epoch(0), Hash32{}, {"cut off since"}});
  open.pump();
  CHECK(open.net().empty());
  CHECK(open.at(1).log_wanted.size() == 2);
}

}  // namespace
}  // namespace holdfast::failover
