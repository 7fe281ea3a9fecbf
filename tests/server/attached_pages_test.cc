/// Attached: how much of an inbox goes out at once, and when a page is the last.
#include <catch2/catch.hpp>

#include "proto/frame.h"
#include "server/attached.h"
#include "storage/keys.h"
#include "storage/memory_database.h"

namespace holdfast {
namespace {

const UserId kUser({1});
const chat::ConnectionRef kPhone{0, 1};
constexpr PartitionId kPartition{0};

std::string item(std::size_t bytes) {
  v1::InboxItem made;
  made.set_conversation_id(std::string(16, 'c'));
  made.mutable_change()->set_number(1);
  made.mutable_change()->mutable_posted()->set_body(std::string(bytes, 'x'));
  return made.SerializeAsString();
}

/// An inbox as it is stored, with as many rows.
class Inbox {
 public:
  Inbox(std::uint64_t count, std::size_t bytes) : count_(count) {
    for (std::uint64_t i = 1; i <= count; ++i) {
      const std::string key = keys::stored(kPartition, keys::inbox(kUser, i)), value = item(bytes);
      Batch batch;
      batch.put(key, value);
      REQUIRE(database_.write(batch, Durability::written));
    }
  }
  std::uint64_t head() const { return count_; }
  /// What a partition reads for the page.
  std::vector<Row> page(const Attached::Page& page) const {
    Range range{
        .from = keys::stored(kPartition, keys::inbox(kUser, page.after + 1)),
        .until = keys::stored_until(kPartition, keys::after_prefix(keys::prefix(keys::Family::inbox, kUser.bytes()))),
        .limit = Attached::kPageRows,
        .bytes_max = page.bytes_max};
    auto rows = database_.scan(range);
    REQUIRE(rows);
    for (Row& row : *rows) row.key.erase(0, keys::kPartitionBytes);
    return std::move(*rows);
  }

 private:
  std::uint64_t count_;
  MemoryDatabase database_;
};

}  // namespace

TEST_CASE("Attached: what was missed comes in frames that a client takes") {
  const Inbox inbox(400, 950);
  Attached attached{Attached::Timing{}};
  attached.attach({kUser, SessionId(), kPhone, 0, 512 << 10}, inbox.head());
  const auto pages = attached.take_pages();
  REQUIRE(pages.size() == 1);
  attached.read(pages[0], inbox.page(pages[0]), {});
  std::uint64_t position = 0;
  for (const auto& delivery : attached.take_deliveries()) {
    const auto& frame = std::get<chat::DeliverInbox>(delivery);
    CHECK(frame.frame.size() <= kFrameBytesMax);
    v1::ServerFrame parsed;
    REQUIRE(parsed.ParseFromString(frame.frame));
    for (const auto& one : parsed.inbox().items()) REQUIRE(one.position() == ++position);
    CHECK(frame.position == position);
  }
  CHECK(position == 400);
}

TEST_CASE("Attached: a page that the database cut by its bytes is not the inbox's end") {
  // Whatever the credit is at that moment: rows as long as this, and the cut falls anywhere.
  const Inbox inbox(60, 900);
  for (std::uint64_t credit = 30'000; credit < 32'000; ++credit) {
    Attached attached{Attached::Timing{}};
    attached.attach({kUser, SessionId(), kPhone, 0, credit}, inbox.head());
    std::uint64_t heard = 0;
    for (auto pages = attached.take_pages(); !pages.empty(); pages = attached.take_pages()) {
      attached.read(pages[0], inbox.page(pages[0]), {});
      for (const auto& delivery : attached.take_deliveries()) {
        heard = std::get<chat::DeliverInbox>(delivery).position;
        attached.give_credit(kPhone, std::get<chat::DeliverInbox>(delivery).frame.size());
      }
    }
    INFO("credit " << credit);
    REQUIRE(heard == inbox.head());
  }
}

}  // namespace holdfast
