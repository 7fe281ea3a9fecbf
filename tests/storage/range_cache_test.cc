#include "storage/range_cache.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"

using namespace holdfast;

namespace {

const ConversationId kHere({1}), kThere({2});
const UserId kAnn({1}), kBen({2});
constexpr std::size_t kPlenty = 1u << 20;

Range members_of(const ConversationId& conversation) {
  const std::string prefix = keys::prefix(keys::Family::member, conversation.bytes());
  return {.from = prefix, .until = keys::after_prefix(prefix), .limit = SIZE_MAX, .bytes_max = SIZE_MAX};
}

void keep(RangeCache& cache, const ConversationId& conversation, const std::vector<UserId>& users) {
  std::vector<Row> rows;
  for (const UserId& user : users) rows.push_back({keys::member(conversation, user), "row"});
  cache.reading(members_of(conversation));
  cache.read(members_of(conversation), rows);
}

}  // namespace

TEST_CASE("RangeCache: what was read is there until one of its rows is written") {
  RangeCache cache(kPlenty);
  CHECK_FALSE(cache.find(members_of(kHere)));
  keep(cache, kHere, {kAnn});
  keep(cache, kThere, {kAnn, kBen});
  REQUIRE(cache.find(members_of(kHere)));
  CHECK(cache.find(members_of(kHere))->at(0).key == keys::member(kHere, kAnn));
  cache.wrote(keys::member(kHere, kBen));  // a new row
  CHECK_FALSE(cache.find(members_of(kHere)));
  REQUIRE(cache.find(members_of(kThere)));
  CHECK(cache.find(members_of(kThere))->size() == 2);
}

TEST_CASE("RangeCache: what was written while it was read is not kept") {
  RangeCache cache(kPlenty);
  cache.reading(members_of(kHere));
  cache.wrote(keys::member(kHere, kBen));
  SECTION("by the read that began before") { cache.read(members_of(kHere), {}); }
  SECTION("nor by one that began behind it, while the first is open: nobody knows which one this is") {
    cache.reading(members_of(kHere));
    cache.read(members_of(kHere), {});
    CHECK_FALSE(cache.find(members_of(kHere)));
    cache.read(members_of(kHere), {});
  }
  CHECK_FALSE(cache.find(members_of(kHere)));
  keep(cache, kHere, {kBen});
  CHECK(cache.find(members_of(kHere)));
}

TEST_CASE("RangeCache: a removed range takes those that it touches, also while they are read") {
  RangeCache cache(kPlenty);
  keep(cache, kHere, {kAnn});
  cache.reading(members_of(kThere));
  SECTION("one") {
    const Range range = members_of(kHere);
    cache.removed_range(range.from, range.until);
    cache.read(members_of(kThere), {});
    CHECK(cache.find(members_of(kThere)));
  }
  SECTION("to the end") {
    cache.removed_range(keys::member(kHere, kBen), "");
    cache.read(members_of(kThere), {});
    CHECK_FALSE(cache.find(members_of(kThere)));
  }
  CHECK_FALSE(cache.find(members_of(kHere)));
}

TEST_CASE("RangeCache: a piece of a range, or another family, is not kept") {
  Range piece = members_of(kHere);
  CHECK(RangeCache::keeps(piece));
  piece.limit = 100;
  CHECK_FALSE(RangeCache::keeps(piece));
  piece = members_of(kHere);
  piece.from += std::string(16, '\0');
  CHECK_FALSE(RangeCache::keeps(piece));
  const std::string seen = keys::prefix(keys::Family::seen, kHere.bytes());
  CHECK_FALSE(
      RangeCache::keeps({.from = seen, .until = keys::after_prefix(seen), .limit = SIZE_MAX, .bytes_max = SIZE_MAX}));
}

TEST_CASE("RangeCache: beyond its bound what was not asked for the longest goes, and what is too large is not taken") {
  RangeCache cache(500);
  keep(cache, kHere, {kAnn});
  keep(cache, kThere, {kAnn});
  CHECK(cache.find(members_of(kHere)));
  keep(cache, ConversationId({3}), {kAnn, kBen});
  CHECK(cache.bytes() <= 500);
  CHECK(cache.find(members_of(kHere)));
  CHECK_FALSE(cache.find(members_of(kThere)));
  keep(cache, kThere, std::vector<UserId>(10, kAnn));
  CHECK_FALSE(cache.find(members_of(kThere)));
  CHECK(cache.find(members_of(kHere)));
}
