#include "server/operator_key.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "storage/memory_database.h"
#include "tests/storage/temp_directory.h"

using namespace holdfast;

namespace {

/// A configuration store that two nodes share, and their data directories.
struct World {
  MemoryDatabase database;
  LogStore log{database};
  failover::EmbeddedConfigStore store{log};
  TempDirectory first, second;
};

std::string line_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

TEST_CASE("Operator key: the first node's own becomes the cluster's, and every other node's") {
  World world;
  const auto own = load_operator_key(world.first.path() / "operator.key");
  REQUIRE(own);
  const auto first = share_operator_key(world.store, world.first.path() / "operator.key");
  REQUIRE(first);
  CHECK(*first == *own);
  const auto second = share_operator_key(world.store, world.second.path() / "operator.key");
  REQUIRE(second);
  CHECK(*second == *own);
  CHECK(line_of(world.second.path() / "operator.key") == *own);
  struct stat about{};
  REQUIRE(::stat((world.second.path() / "operator.key").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("Operator key: a node that had another one believes the cluster's from then on") {
  World world;
  const auto theirs = share_operator_key(world.store, world.first.path() / "operator.key");
  const auto before = load_operator_key(world.second.path() / "operator.key");
  REQUIRE(theirs);
  REQUIRE(before);
  REQUIRE(*before != *theirs);
  REQUIRE(share_operator_key(world.store, world.second.path() / "operator.key"));
  CHECK(*load_operator_key(world.second.path() / "operator.key") == *theirs);
}

TEST_CASE("Operator key: what is no key in the store is refused, and no file is changed") {
  World world;
  REQUIRE(world.store.transact({{"keys/operator", 0}}, {{"keys/operator", "hello"}}));
  const auto refused = share_operator_key(world.store, world.first.path() / "operator.key");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
  CHECK_FALSE(std::filesystem::exists(world.first.path() / "operator.key"));
}
