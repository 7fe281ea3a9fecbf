#include "server/bus/feed.h"

#include <catch2/catch.hpp>

namespace holdfast::bus {
namespace {

std::shared_ptr<const log::Entry> entry(std::uint64_t seq, int events) {
  auto made = std::make_shared<log::Entry>();
  made->set_seq(seq);
  for (int i = 0; i < events; ++i) made->add_events()->mutable_account_created();
  return made;
}

using At = std::pair<std::uint64_t, std::uint32_t>;
At at(const std::optional<Feed::Next>& next) {
  REQUIRE(next);
  return {next->entry->seq(), next->event};
}

TEST_CASE("Feed: events come in log order, and each stays next until it is taken") {
  Feed feed(Seq(0), Seq(0), {});
  feed.committed(entry(1, 2));
  feed.committed(entry(2, 0));
  feed.committed(entry(3, 1));
  CHECK(at(feed.next()) == At{1, 0});
  CHECK(at(feed.next()) == At{1, 0});
  feed.taken(0);
  CHECK(at(feed.next()) == At{1, 1});
  feed.taken(0);
  CHECK(at(feed.next()) == At{3, 0});
  feed.taken(0);
  CHECK_FALSE(feed.next());
  CHECK(feed.cursor() == Seq(3));
}

TEST_CASE("Feed: the cursor stops before the first event that is not done, whatever is done behind it") {
  Feed feed(Seq(0), Seq(0), {});
  for (std::uint64_t seq = 1; seq <= 4; ++seq) feed.committed(entry(seq, 1));
  feed.taken(2);  // two commands
  feed.taken(1);
  feed.taken(0);
  feed.taken(1);
  CHECK(feed.cursor() == Seq(0));
  feed.done(Seq(2), 0);
  feed.done(Seq(4), 0);
  CHECK(feed.cursor() == Seq(0));
  feed.done(Seq(1), 0);
  CHECK(feed.cursor() == Seq(0));
  feed.done(Seq(1), 0);
  CHECK(feed.cursor() == Seq(4));
  CHECK(feed.under_way() == 0);
}

TEST_CASE("Feed: the cursor does not pass an entry of which an event is still to be worked on") {
  Feed feed(Seq(0), Seq(0), {});
  feed.committed(entry(1, 2));
  feed.taken(0);
  CHECK(feed.cursor() == Seq(0));
  feed.taken(1);
  CHECK(feed.cursor() == Seq(0));
  feed.done(Seq(1), 1);
  CHECK(feed.cursor() == Seq(1));
}

TEST_CASE("Feed: after a start the log is read from behind the cursor, once until it answers") {
  Feed feed(Seq(2), Seq(4), {});
  CHECK_FALSE(feed.next());
  CHECK(feed.take_read() == Seq(3));
  CHECK_FALSE(feed.take_read());
  feed.committed(entry(5, 1));  // comes while the log is read: read again
  feed.read({entry(3, 1), entry(4, 0)});
  CHECK(at(feed.next()) == At{3, 0});
  feed.taken(0);
  CHECK(feed.take_read() == Seq(5));
  feed.read({entry(5, 1), entry(6, 1)});  // 6 is appended and not committed: it comes by the commit
  CHECK(at(feed.next()) == At{5, 0});
  feed.taken(0);
  CHECK_FALSE(feed.next());
  CHECK_FALSE(feed.take_read());
  feed.committed(entry(6, 1));
  CHECK(at(feed.next()) == At{6, 0});
}

TEST_CASE("Feed: beyond its bound entries are left to the log, and none is left out") {
  Feed feed(Seq(0), Seq(0), {.entries_max = 2, .events_under_way = 100});
  for (std::uint64_t seq = 1; seq <= 5; ++seq) feed.committed(entry(seq, 1));
  for (std::uint64_t seq = 1; seq <= 2; ++seq) {
    CHECK_FALSE(feed.take_read());
    CHECK(at(feed.next()) == At{seq, 0});
    feed.taken(0);
  }
  CHECK_FALSE(feed.next());
  CHECK(feed.take_read() == Seq(3));
  feed.read({entry(3, 1)});  // a page ends where its bytes do
  feed.taken(0);
  CHECK(feed.take_read() == Seq(4));
  feed.read({entry(4, 1), entry(5, 1)});
  feed.committed(entry(6, 1));  // right behind what was read
  for (std::uint64_t seq = 4; seq <= 5; ++seq) {
    CHECK(at(feed.next()) == At{seq, 0});
    feed.taken(0);
  }
  CHECK(feed.cursor() == Seq(5));
}

TEST_CASE("Feed: no more events are under way than its bound says") {
  Feed feed(Seq(0), Seq(0), {.entries_max = 10, .events_under_way = 2});
  for (std::uint64_t seq = 1; seq <= 3; ++seq) feed.committed(entry(seq, 1));
  feed.taken(1);
  feed.taken(1);
  CHECK_FALSE(feed.next());
  feed.done(Seq(1), 0);
  CHECK(at(feed.next()) == At{3, 0});
}

}  // namespace
}  // namespace holdfast::bus
