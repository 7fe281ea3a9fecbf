#include "storage/row_cache.h"

#include <catch2/catch.hpp>

#include <deque>
#include <map>

#include "base/random.h"
#include "storage/keys.h"

using namespace holdfast;

namespace {

constexpr std::size_t kPlenty = 64u << 20;

std::optional<std::string> value_of(RowCache& cache, std::string_view key) {
  const auto found = cache.find(key);
  REQUIRE(found.known);
  return found.value ? std::optional(*found.value) : std::nullopt;
}

std::string numbered(int i) { return "key" + std::to_string(1'000'000 + i); }

}  // namespace

TEST_CASE("RowCache: what is not known is to be loaded, also if there turns out to be no such row") {
  RowCache cache(kPlenty);
  CHECK_FALSE(cache.find("a").known);
  cache.loaded("a", "1");
  CHECK(value_of(cache, "a") == "1");
  CHECK_FALSE(cache.find("b").known);
  cache.loaded("b", std::nullopt);
  CHECK(value_of(cache, "b") == std::nullopt);
}

TEST_CASE("RowCache: a load that comes in after a write does not bring the old value back") {
  RowCache cache(kPlenty);
  CHECK_FALSE(cache.find("a").known);
  cache.wrote("a", "new", Seq(1));
  cache.loaded("a", "old");
  CHECK(value_of(cache, "a") == "new");
}

TEST_CASE("RowCache: nor does it when the write was applied and would have been evicted meanwhile") {
  RowCache cache(0);
  CHECK_FALSE(cache.find("a").known);
  cache.wrote("a", "new", Seq(1));
  cache.applied(Seq(1));
  for (int i = 0; i < 2'000; ++i) cache.loaded(numbered(i), "x");
  cache.loaded("a", "old");
  CHECK(value_of(cache, "a") == "new");
}

TEST_CASE("RowCache: what was written is never evicted before it is applied") {
  RowCache cache(0);
  for (int i = 0; i < 2'000; ++i) cache.wrote(numbered(i), "x", Seq(static_cast<std::uint64_t>(i + 1)));
  CHECK(cache.pinned() == 2'000);
  for (int i = 0; i < 2'000; ++i) CHECK(value_of(cache, numbered(i)) == "x");
  cache.applied(Seq(1'000));
  CHECK(cache.pinned() == 1'000);
  for (int i = 1'000; i < 2'000; ++i) CHECK(value_of(cache, numbered(i)) == "x");
  CHECK(cache.rows() == 1'000 + RowCache::kRowsKept);
}

TEST_CASE("RowCache: a row written again stays pinned until the later write is applied") {
  RowCache cache(0);
  cache.wrote("a", "1", Seq(1));
  cache.wrote("a", "2", Seq(2));
  cache.wrote("a", "3", Seq(2));
  cache.applied(Seq(1));
  CHECK(cache.pinned() == 1);
  cache.applied(Seq(2));
  CHECK(cache.pinned() == 0);
}

TEST_CASE("RowCache: the longest unused rows go first") {
  RowCache cache(0);
  const int many = static_cast<int>(RowCache::kRowsKept);
  for (int i = 0; i < many; ++i) cache.loaded(numbered(i), "x");
  CHECK(cache.find(numbered(0)).known);  // used now
  cache.loaded("another", "x");
  CHECK(cache.find(numbered(0)).known);
  CHECK_FALSE(cache.find(numbered(1)).known);
}

TEST_CASE("RowCache: its size stays within its bound when nothing is pinned") {
  constexpr std::size_t kBound = 1u << 20;
  RowCache cache(kBound);
  for (int i = 0; i < 5'000; ++i) cache.loaded(numbered(i), std::string(1'000, 'x'));
  CHECK(cache.bytes() <= kBound);
  CHECK(cache.bytes() > kBound / 2);
}

TEST_CASE("RowCache: a removed range hides rows that are known, and those that are not known yet") {
  RowCache cache(kPlenty);
  const UserId user;
  cache.wrote(keys::inbox(user, 1), "1", Seq(1));
  cache.loaded(keys::inbox(user, 2), "2");
  cache.wrote(keys::inbox(user, 9), "9", Seq(1));
  cache.removed_range(keys::inbox(user, 1), keys::inbox(user, 5), Seq(2));
  CHECK(value_of(cache, keys::inbox(user, 1)) == std::nullopt);
  CHECK(value_of(cache, keys::inbox(user, 2)) == std::nullopt);
  CHECK(value_of(cache, keys::inbox(user, 3)) == std::nullopt);
  CHECK(value_of(cache, keys::inbox(user, 9)) == "9");
  CHECK_FALSE(cache.find(keys::inbox(user, 5)).known);
  cache.wrote(keys::inbox(user, 3), "again", Seq(3));
  CHECK(value_of(cache, keys::inbox(user, 3)) == "again");
  cache.applied(Seq(3));
  CHECK_FALSE(cache.find(keys::inbox(user, 4)).known);
}

TEST_CASE("RowCache: a load asked before a range was removed, and answered after it was applied, is not believed") {
  RowCache cache(kPlenty);
  const UserId user;
  CHECK_FALSE(cache.find(keys::inbox(user, 1)).known);
  cache.removed_range(keys::inbox(user, 1), keys::inbox(user, 5), Seq(1));
  cache.applied(Seq(1));
  cache.loaded(keys::inbox(user, 1), "old");
  CHECK(value_of(cache, keys::inbox(user, 1)) == std::nullopt);
}

TEST_CASE("RowCache: agrees with a database that is applied late, whatever is written, removed, loaded and evicted") {
  SeededRandom random(11);
  RowCache cache(60'000);
  std::map<std::string, std::string> truth;
  std::map<std::string, std::string> state;                 // what is applied
  std::map<std::string, std::optional<std::string>> asked;  // loads on their way
  std::deque<std::map<std::string, std::string>> versions;  // truth after each entry not applied yet
  std::uint64_t seq = 0;
  std::uint64_t applied = 0;
  std::vector<UserId> users;
  for (int i = 0; i < 40; ++i) users.push_back(random.id<UserId>());
  const auto key = [&] { return keys::inbox(users[random.below(users.size())], random.below(40)); };

  for (int round = 0; round < 12'000; ++round) {
    const std::string at = key();
    switch (random.below(8)) {
      case 0:
      case 1:
        truth[at] = std::to_string(round);
        cache.wrote(at, truth[at], Seq(++seq));
        versions.push_back(truth);
        break;
      case 2: {
        const std::string until = random.below(20) == 0 ? key() : at.substr(0, 24) + '\x14';
        if (at < until) truth.erase(truth.lower_bound(at), truth.lower_bound(until));
        cache.removed_range(at, until, Seq(++seq));
        versions.push_back(truth);
        break;
      }
      case 3:
        if (applied < seq) {
          for (std::uint64_t more = 1 + random.below(seq - applied); more > 0; --more, ++applied) {
            state = std::move(versions.front());
            versions.pop_front();
          }
          cache.applied(Seq(applied));
        }
        break;
      case 4:
        if (!asked.empty()) {
          const auto load = asked.begin();
          cache.loaded(load->first, load->second);
          asked.erase(load);
        }
        break;
      default: {
        const auto found = cache.find(at);
        const auto right = truth.find(at);
        if (found.known) {
          REQUIRE((found.value != nullptr) == (right != truth.end()));
          if (found.value) REQUIRE(*found.value == right->second);
        } else if (!asked.contains(at)) {
          const auto row = state.find(at);
          asked[at] = row == state.end() ? std::nullopt : std::optional(row->second);
        }
      }
    }
  }
}

TEST_CASE("RowCache: what is held stays until it was let go as often, applied or not") {
  RowCache cache(0);
  CHECK_FALSE(cache.hold("a"));
  cache.loaded("a", "1");
  REQUIRE(cache.hold("a"));
  REQUIRE(cache.hold("a"));
  const auto crowd = [&](int from) {
    for (int i = from; i < from + 2'000; ++i) cache.loaded(numbered(i), "x");
  };
  crowd(0);
  cache.wrote("a", "2", Seq(1));
  cache.applied(Seq(1));
  cache.let_go("a");
  crowd(2'000);
  CHECK(cache.peek("a").known);
  CHECK(*cache.peek("a").value == "2");
  cache.let_go("a");
  crowd(4'000);
  CHECK_FALSE(cache.peek("a").known);
}
