#include <catch2/catch.hpp>

#include "server/chat/history.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;

namespace {
using Numbers = std::vector<std::uint64_t>;
}

TEST_CASE("History: pages go both ways by number and say whether there is more") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 2; i <= 7; ++i) play.say(ann, talk, std::to_string(i));
  struct Case {
    std::uint64_t from;
    bool backward;
    std::uint32_t limit;
    Numbers numbers;
    bool more;
  };
  const Case cases[] = {
      {0, false, 3, {1, 2, 3}, true},
      {4, false, 3, {4, 5, 6}, true},
      {7, false, 3, {7}, false},
      {5, false, 3, {5, 6, 7}, false},
      {8, false, 3, {}, false},
      {0, true, 3, {7, 6, 5}, true},
      {4, true, 3, {4, 3, 2}, true},
      {3, true, 3, {3, 2, 1}, false},
      {1, true, 3, {1}, false},
      {99, true, 2, {7, 6}, true},
      {0, false, 500, {1, 2, 3, 4, 5, 6, 7}, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.from, c.backward, c.limit);
    const auto page = play.history(ben, talk, c.from, c.backward, c.limit);
    CHECK(numbers_of(page) == c.numbers);
    CHECK(page.history().more() == c.more);
    CHECK(page.history().last_number() == 7);
  }
}

TEST_CASE("History: absurd page sizes are refused, naming the bound") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  CHECK(code_of(play.history(ann, talk, 0, false, 0)) == v1::INVALID_ARGUMENT);
  const auto big = play.history(ann, talk, 0, false, 501);
  CHECK(code_of(big) == v1::TOO_LARGE);
  CHECK(big.error().message().find("500") != std::string::npos);
  CHECK(code_of(play.history(ann, talk, 0, false, 4'000'000'000)) == v1::TOO_LARGE);
}

TEST_CASE("History: for members only") {
  Play play;
  const Person ann = play.person(), ben = play.person(), eve = play.person();
  CHECK(code_of(play.history(eve, play.open(ann, ben))) == v1::NOT_FOUND);
  CHECK(code_of(play.history(eve, play.group(ann, {ben}))) == v1::NOT_FOUND);
}

TEST_CASE("History: numbers outside the intervals of membership are left out, in both directions") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {});  // 1
  play.say(ann, club, "2");
  play.add(ann, club, {ben});  // 3
  play.say(ann, club, "4");
  play.leave(ben, club);  // 5
  play.say(ann, club, "6");
  play.add(ann, club, {ben});  // 7
  play.say(ann, club, "8");
  CHECK(numbers_of(play.history(ben, club)) == Numbers{3, 4, 5, 7, 8});
  CHECK(numbers_of(play.history(ben, club, 0, true)) == Numbers{8, 7, 5, 4, 3});
  const auto middle = play.history(ben, club, 4, false, 3);
  CHECK(numbers_of(middle) == Numbers{4, 5, 7});
  CHECK(middle.history().more());
  CHECK(numbers_of(play.history(ben, club, 6, true, 2)) == Numbers{5, 4});
  CHECK(numbers_of(play.history(ben, club, 4, true, 2)) == Numbers{4, 3});
  CHECK_FALSE(play.history(ben, club, 4, true, 2).history().more());
  CHECK(numbers_of(play.history(ben, club, 2, true, 2)).empty());
  CHECK_FALSE(play.history(ben, club, 2, true, 2).history().more());
}

TEST_CASE("History: who has left reads up to their leaving") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId club = play.group(ann, {ben});
  play.say(ann, club, "2");
  play.leave(ben, club);
  play.say(ann, club, "4");
  const auto page = play.history(ben, club);
  CHECK(numbers_of(page) == Numbers{1, 2, 3});
  CHECK(page.history().last_number() == 3);
  CHECK_FALSE(page.history().more());
}

TEST_CASE("History: a page of large bodies ends before it outgrows a frame, and goes on") {
  Play play;
  const Person ann = play.person(), ben = play.person();
  const ConversationId talk = play.open(ann, ben);
  for (int i = 0; i < 5; ++i) play.say(ann, talk, std::string(40'000, 'x'));
  const bool backward = GENERATE(false, true);
  Numbers all;
  std::uint64_t from = 0;
  for (bool more = true; more;) {
    const auto page = play.history(ben, talk, from, backward);
    CHECK(page.ByteSizeLong() < kHistoryPageBytesMax + 10'000);
    const Numbers numbers = numbers_of(page);
    REQUIRE_FALSE(numbers.empty());
    all.insert(all.end(), numbers.begin(), numbers.end());
    from = backward ? numbers.back() - 1 : numbers.back() + 1;
    more = page.history().more();
  }
  CHECK(all == (backward ? Numbers{6, 5, 4, 3, 2, 1} : Numbers{1, 2, 3, 4, 5, 6}));
}
