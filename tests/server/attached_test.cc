#include "server/attached.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"

namespace holdfast {
namespace {

using Positions = std::vector<std::uint64_t>;

const UserId kUser({1});
const SessionId kSession({2});
const ConversationId kConversation({3});
const chat::ConnectionRef kPhone{0, 1}, kLaptop{1, 2};
constexpr std::uint64_t kPlenty = 1 << 20;

std::string item(std::size_t bytes = 20) {
  v1::InboxItem made;
  made.set_conversation_id(kConversation.str());
  made.mutable_change()->set_number(1);
  made.mutable_change()->mutable_posted()->set_body(std::string(bytes, 'x'));
  return made.SerializeAsString();
}
Row inbox_row(std::uint64_t position, std::size_t bytes = 20) { return {keys::inbox(kUser, position), item(bytes)}; }
Row head_row(std::uint64_t position, std::uint8_t conversation = 9) {
  v1::InboxItem made;
  made.set_position(position);
  made.set_conversation_id(ConversationId({conversation}).str());
  made.set_head(position);
  return {keys::head(kUser, ConversationId({conversation})), made.SerializeAsString()};
}
std::vector<Row> rows(std::uint64_t from, std::uint64_t to, std::size_t bytes = 20) {
  std::vector<Row> made;
  for (; from <= to; ++from) made.push_back(inbox_row(from, bytes));
  return made;
}

struct Fixture {
  Attached attached{Attached::Timing{}};
  std::map<chat::ConnectionRef, std::uint64_t> frame_bytes;

  void attach(chat::ConnectionRef connection, std::uint64_t after, std::uint64_t head, std::uint64_t credit = kPlenty) {
    attached.attach({kUser, kSession, connection, after, credit}, head);
  }
  void add(std::uint64_t position, std::size_t bytes = 20) { attached.inbox_added({kUser, position, item(bytes)}); }
  Attached::Page page() {
    const auto pages = attached.take_pages();
    REQUIRE(pages.size() == 1);
    return pages[0];
  }
  bool wants_page() { return !attached.take_pages().empty(); }
  Positions heard(chat::ConnectionRef connection = kPhone) {
    Positions positions;
    for (const auto& delivery : attached.take_deliveries()) {
      const auto* inbox = std::get_if<chat::DeliverInbox>(&delivery);
      if (!inbox || inbox->connection != connection) continue;
      v1::ServerFrame frame;
      REQUIRE(frame.ParseFromString(inbox->frame));
      for (const auto& one : frame.inbox().items()) positions.push_back(one.position());
      CHECK(positions.back() == inbox->position);
      frame_bytes[connection] += inbox->frame.size();
    }
    return positions;
  }
};

TEST_CASE("Attached: who has everything is live, and gets what is added at once, in one frame a turn") {
  Fixture f;
  f.attach(kPhone, 4, 4);
  CHECK_FALSE(f.wants_page());
  f.add(5);
  f.add(6);
  const auto deliveries = f.attached.take_deliveries();
  REQUIRE(deliveries.size() == 1);
  v1::ServerFrame frame;
  REQUIRE(frame.ParseFromString(std::get<chat::DeliverInbox>(deliveries[0]).frame));
  REQUIRE(frame.inbox().items_size() == 2);
  CHECK(frame.inbox().items(0).position() == 5);
  CHECK(frame.inbox().items(0).change().posted().body() == std::string(20, 'x'));
  CHECK(frame.inbox().items(1).position() == 6);
}

TEST_CASE("Attached: who lacks something reads it first, then is live") {
  Fixture f;
  f.attach(kPhone, 4, 6);
  f.add(7);  // before it has read: it will read this
  const auto page = f.page();
  CHECK(page.after == 4);
  CHECK(f.heard().empty());
  f.attached.read(page, rows(5, 7), {});
  CHECK(f.heard() == Positions{5, 6, 7});
  f.add(8);
  CHECK(f.heard() == Positions{8});
}

TEST_CASE("Attached: what is added while a page is read comes once, whether the page has it or not") {
  Fixture f;
  f.attach(kPhone, 0, 2);
  const auto page = f.page();
  f.add(3);
  SECTION("the page has it") { f.attached.read(page, rows(1, 3), {}); }
  SECTION("the page does not have it") { f.attached.read(page, rows(1, 2), {}); }
  CHECK(f.heard() == Positions{1, 2});
  f.add(4);
  const auto next = f.page();
  CHECK(next.after == 2);
  f.attached.read(next, rows(3, 4), {});
  CHECK(f.heard() == Positions{3, 4});
  f.add(5);
  CHECK(f.heard() == Positions{5});
}

TEST_CASE("Attached: heads stand between the rows of the inbox, by their positions") {
  Fixture f;
  f.attach(kPhone, 1, 6);
  f.attached.read(f.page(), {inbox_row(2), inbox_row(4), inbox_row(6)}, {head_row(5), head_row(1, 8), head_row(3, 7)});
  CHECK(f.heard() == Positions{2, 3, 4, 5, 6});
}

TEST_CASE("Attached: a head that was read later than the inbox does not hide a row that came between") {
  Fixture f;
  f.attach(kPhone, 0, 10);
  const auto page = f.page();
  auto first = rows(1, 10);  // the inbox, read now; then 11 is added, then the head 12, then the heads are read
  f.add(11);
  f.add(12);
  f.attached.read(page, first, {head_row(12)});
  CHECK(f.heard() == Positions{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const auto next = f.page();
  CHECK(next.after == 10);
  f.attached.read(next, {inbox_row(11)}, {head_row(12)});
  CHECK(f.heard() == Positions{11, 12});
}

TEST_CASE("Attached: an inbox that was read later than the heads does not hide a head that came between") {
  Fixture f;
  f.attach(kPhone, 0, 2);
  const auto page = f.page();
  f.add(3);  // a head, which the heads read before do not show
  f.add(4);
  f.attached.read(page, {inbox_row(1), inbox_row(2), inbox_row(4)}, {});
  CHECK(f.heard() == Positions{1, 2});
  f.attached.read(f.page(), {inbox_row(4)}, {head_row(3)});
  CHECK(f.heard() == Positions{3, 4});
}

TEST_CASE("Attached: a page that is not the inbox's end holds heads only as far as itself") {
  Fixture f;
  f.attach(kPhone, 0, 600);
  f.attached.read(f.page(), rows(1, Attached::kPageRows), {head_row(600)});
  CHECK(f.heard().back() == Attached::kPageRows);
  const auto next = f.page();
  CHECK(next.after == Attached::kPageRows);
  f.attached.read(next, rows(513, 599), {head_row(600)});
  CHECK(f.heard().back() == 600);
  f.add(601);
  CHECK(f.heard() == Positions{601});
}

TEST_CASE("Attached: without credit nothing is sent, and the inbox makes up for it when there is some") {
  Fixture f;
  f.attach(kPhone, 0, 0, 100);
  f.add(1, 200);  // one item more than the credit
  CHECK(f.heard() == Positions{1});
  f.add(2);
  f.add(3);
  CHECK(f.heard().empty());
  CHECK_FALSE(f.wants_page());
  f.attached.give_credit(kPhone, f.frame_bytes[kPhone]);
  const auto page = f.page();
  CHECK(page.after == 1);
  CHECK(page.bytes_max == 100);
  f.attached.read(page, rows(2, 3), {});
  CHECK(f.heard() == Positions{2, 3});
}

TEST_CASE("Attached: a page stops at the credit, heads too") {
  Fixture f;
  f.attach(kPhone, 0, 300, 200);
  std::vector<Row> heads;
  for (std::uint64_t i = 1; i <= 200; ++i) heads.push_back(head_row(i, static_cast<std::uint8_t>(i)));
  std::ranges::sort(heads, {}, &Row::key);
  f.attached.read(f.page(), {}, heads);
  const Positions heard = f.heard();
  CHECK(f.frame_bytes[kPhone] <= 200 + 40);
  CHECK_FALSE(f.wants_page());
  f.attached.give_credit(kPhone, f.frame_bytes[kPhone]);
  CHECK(f.page().after == heard.back());
}

TEST_CASE("Attached: what goes out as frames comes back as credit, to the byte") {
  Fixture f;
  f.attach(kPhone, 0, 0, 300);
  for (std::uint64_t position = 1; position <= 100'000; ++position) {
    f.add(position, position % 150);
    REQUIRE(f.heard() == Positions{position});
    f.attached.give_credit(kPhone, std::exchange(f.frame_bytes[kPhone], 0));
  }
  // Nothing leaked and nothing was given twice: the bound is what it was.
  for (std::uint64_t position = 100'001; position <= 100'020; ++position) f.add(position, 40);
  CHECK(f.heard().size() < 8);
}

TEST_CASE("Attached: what is soft takes no credit, and is left out where there is none") {
  Fixture f;
  f.attach(kPhone, 0, 0, 100);
  chat::TellUsers typing{{kUser}, {}};
  typing.frame.mutable_typing()->set_user_id(kUser.str());
  for (int i = 0; i < 1000; ++i) {
    f.attached.tell(typing);
    REQUIRE(f.attached.take_deliveries().size() == 1);
  }
  f.add(1, 200);
  CHECK(f.heard() == Positions{1});
  f.attached.tell(typing);
  CHECK(f.attached.take_deliveries().empty());
}

TEST_CASE("Attached: each connection of a user goes on from its own position") {
  Fixture f;
  f.attach(kPhone, 3, 3);
  f.attach(kLaptop, 1, 3);
  const auto page = f.page();
  CHECK(page.connection == kLaptop);
  f.add(4);
  CHECK(f.heard(kPhone) == Positions{4});
  f.attached.read(page, rows(2, 3), {});
  CHECK(f.heard(kLaptop) == Positions{2, 3});
  f.attached.read(f.page(), rows(4, 4), {});
  CHECK(f.heard(kLaptop) == Positions{4});
}

TEST_CASE("Attached: a page for a connection that left goes nowhere") {
  Fixture f;
  f.attach(kPhone, 0, 2);
  const auto page = f.page();
  f.attached.detach(kUser, kPhone, {});
  f.attached.read(page, rows(1, 2), {});
  CHECK(f.attached.take_deliveries().empty());
  CHECK(f.attached.size() == 0);
}

TEST_CASE("Attached: the end of a session is told to its connections only") {
  Fixture f;
  f.attach(kPhone, 0, 0);
  f.attached.attach({kUser, SessionId({9}), kLaptop, 0, kPlenty}, 0);
  const auto ended = f.attached.session_gone({kUser, kSession, v1::SESSION_ENDED, "revoked"});
  CHECK(ended == std::vector{kPhone});
  const auto deliveries = f.attached.take_deliveries();
  REQUIRE(deliveries.size() == 1);
  CHECK(std::get<chat::EndConnection>(deliveries[0]).reason == "revoked");
}

std::vector<bool> presence_heard(Attached& attached, chat::ConnectionRef watcher) {
  std::vector<bool> heard;
  for (const auto& delivery : attached.take_deliveries()) {
    const auto* frame = std::get_if<chat::DeliverFrame>(&delivery);
    if (!frame || frame->connection != watcher) continue;
    v1::ServerFrame parsed;
    REQUIRE(parsed.ParseFromString(frame->frame));
    heard.push_back(parsed.presence_changed().user().online());
  }
  return heard;
}

TEST_CASE("Attached: presence is said at once when it begins, and late when it ends, for five minutes") {
  using std::chrono::seconds;
  Fixture f;
  SteadyTime now{};
  const chat::ConnectionRef watcher{2, 9};
  f.attached.watch(watcher, {kUser}, now);
  CHECK(presence_heard(f.attached, watcher) == std::vector{false});
  f.attach(kPhone, 0, 0);
  CHECK(presence_heard(f.attached, watcher) == std::vector{true});

  f.attached.detach(kUser, kPhone, now);
  f.attached.tick(now += seconds(4));
  CHECK(presence_heard(f.attached, watcher).empty());
  f.attach(kPhone, 0, 0);  // back within the five seconds: nobody hears of it
  f.attached.tick(now += seconds(10));
  CHECK(presence_heard(f.attached, watcher).empty());

  f.attached.detach(kUser, kPhone, now);
  f.attached.tick(now += seconds(5));
  CHECK(presence_heard(f.attached, watcher) == std::vector{false});
  f.attached.tick(now += std::chrono::minutes(5));
  f.attach(kPhone, 0, 0);
  CHECK(presence_heard(f.attached, watcher).empty());
}

}  // namespace
}  // namespace holdfast
