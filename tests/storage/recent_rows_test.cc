#include "storage/recent_rows.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"

using namespace holdfast;

namespace {

std::shared_ptr<const log::Entry> entry_of(std::uint64_t seq, const std::string& key,
                                           std::optional<std::string> value) {
  auto entry = std::make_shared<log::Entry>();
  entry->set_seq(seq);
  log::Write& write = *entry->add_writes();
  write.set_key(key);
  if (value)
    write.set_put(*value);
  else
    write.set_remove(true);
  return entry;
}

void commit(RecentRows& rows, const std::shared_ptr<const log::Entry>& entry) {
  rows.wrote(entry->writes(0), Seq(entry->seq()));
  rows.hold(entry);
}

const std::string kKey = keys::change(ConversationId(), 1);

}  // namespace

TEST_CASE("RecentRows: a row is known from its commit until the state has it") {
  RecentRows rows;
  CHECK_FALSE(rows.find(kKey).known);
  commit(rows, entry_of(5, kKey, "five"));
  REQUIRE(rows.find(kKey).known);
  CHECK(*rows.find(kKey).value == "five");
  rows.applied(Seq(4));
  CHECK(rows.find(kKey).known);
  rows.applied(Seq(5));
  CHECK_FALSE(rows.find(kKey).known);
}

TEST_CASE("RecentRows: what was written again stays until the later entry is applied") {
  RecentRows rows;
  commit(rows, entry_of(5, kKey, "five"));
  commit(rows, entry_of(6, kKey, "six"));
  rows.applied(Seq(5));
  REQUIRE(rows.find(kKey).known);
  CHECK(*rows.find(kKey).value == "six");
  commit(rows, entry_of(7, kKey, std::nullopt));
  REQUIRE(rows.find(kKey).known);
  CHECK(rows.find(kKey).value == nullptr);
  rows.applied(Seq(7));
  CHECK(rows.rows() == 0);
}

TEST_CASE("RecentRows: keeps changes and client ids, and leaves the rest") {
  CHECK(RecentRows::keeps(kKey));
  CHECK(RecentRows::keeps(keys::client_id(ConversationId(), UserId(), RequestId())));
  CHECK_FALSE(RecentRows::keeps(keys::conversation(ConversationId())));
  CHECK_FALSE(RecentRows::keeps(keys::inbox(UserId(), 1)));
}
