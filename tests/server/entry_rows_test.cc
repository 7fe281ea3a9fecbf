#include <catch2/catch.hpp>

#include "base/uuid.h"
#include "proto/state.pb.h"
#include "server/chat/conversation_id.h"
#include "storage/keys.h"
#include "tests/support/partition_bench.h"
#include "tests/support/requests.h"

namespace holdfast {
namespace {

const UserId kAlice({1}), kBob({2});
const SessionId kPhone({11});

/// Alice and Bob in a conversation whose rows are in memory, with one post.
struct Bench : PartitionBench {
  SeededRandom random{1};
  ConversationId conversation = chat::direct_conversation(kAlice, kBob);

  Bench() {
    open();
    state::Conversation row;
    row.set_kind(v1::DIRECT);
    row.add_peers()->set_user(kAlice.str());
    row.add_peers()->set_user(kBob.str());
    store(keys::conversation(conversation), row);
    post("first");
    run();
    entries.clear();
  }
  std::size_t post(const std::string& body) {
    auto frame = requests::post(conversation.str(), body);
    now += std::chrono::milliseconds(1);
    frame.mutable_post()->set_client_message_id(make_uuid7(now, random).str());
    return request(kAlice, std::move(frame), kPhone);
  }
  std::size_t edit(std::uint64_t number, const std::string& body) {
    auto frame = requests::edit(conversation.str(), number, body);
    now += std::chrono::milliseconds(1);
    frame.set_idempotency_id(make_uuid7(now, random).str());
    return request(kAlice, std::move(frame), kPhone);
  }
};

std::size_t writes_of(const log::Entry& entry, const std::string& key) {
  return static_cast<std::size_t>(
      std::ranges::count_if(entry.writes(), [&](const log::Write& write) { return write.key() == key; }));
}

v1::Change named_by(const log::Entry& entry, int event) {
  v1::Change change;
  const auto index = entry.events(event).change_made().write_index();
  REQUIRE(index < static_cast<std::uint32_t>(entry.writes_size()));
  REQUIRE(change.ParseFromString(entry.writes(static_cast<int>(index)).put()));
  return change;
}

TEST_CASE("Partition: an entry has each row once, however many commands wrote it") {
  Bench bench;
  for (const char* body : {"a", "b", "c"}) bench.post(body);
  bench.run();
  REQUIRE(bench.entries.size() == 1);
  CHECK(bench.entries[0]->events_size() == 3);
  CHECK(writes_of(*bench.entries[0], keys::conversation(bench.conversation)) == 1);
  const auto row = bench.stored<state::Conversation>(keys::conversation(bench.conversation));
  REQUIRE(row);
  CHECK(row->last_number() == 4);
}

TEST_CASE("Partition: events name the changes as they were made, also behind rows that were put again") {
  Bench bench;
  bench.post("a");
  bench.post("b");
  bench.edit(2, "a, corrected");
  bench.run();
  bench.post("c");
  bench.run();
  REQUIRE(bench.entries.size() >= 2);
  const log::Entry& entry = *bench.entries[0];
  REQUIRE(entry.events_size() >= 2);
  for (int i = 0; i < entry.events_size(); ++i) {
    const v1::Change change = named_by(entry, i);
    CHECK(change.number() == entry.events(i).change_made().number());
    if (change.number() == 2) CHECK(change.posted().body() == "a");
    if (change.number() == 3) CHECK(change.posted().body() == "b");
    if (change.number() == 4) CHECK(change.edited().body() == "a, corrected");
  }
  const auto post = bench.stored<v1::Change>(keys::change(bench.conversation, 2));
  REQUIRE(post);
  CHECK(post->posted().body() == "a, corrected");
}

}  // namespace
}  // namespace holdfast
