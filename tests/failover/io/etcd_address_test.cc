#include "failover/io/etcd_address.h"

#include <catch2/catch.hpp>

namespace holdfast::failover {
namespace {

TEST_CASE("parse_etcd_address: takes the whole form") {
  const auto address = parse_etcd_address("etcds://me:p%40ss%2f/x@one:2379,10.0.0.2:1,[::1]:2381/team/chat/");
  REQUIRE(address);
  CHECK(address->tls);
  CHECK(address->user == "me");
  CHECK(address->password == "p@ss//x");
  CHECK(address->endpoints == std::vector<std::string>{"one:2379", "10.0.0.2:1", "[::1]:2381"});
  CHECK(address->prefix == "team/chat");
}

TEST_CASE("parse_etcd_address: needs no more than one host and port") {
  const auto address = parse_etcd_address("etcd://localhost:2379");
  REQUIRE(address);
  CHECK_FALSE(address->tls);
  CHECK(address->user.empty());
  CHECK(address->prefix == "holdfast");
  CHECK(parse_etcd_address("etcd://localhost:2379/")->prefix == "holdfast");
}

TEST_CASE("parse_etcd_address: refuses what it does not understand, and does not repeat a password") {
  for (const char* text : {"", "localhost:2379", "http://a:1", "etcd://", "etcd:///x", "etcd://a", "etcd://a:0",
                           "etcd://a:1,", "etcd://,a:1", "etcd://a:1//x", "etcd://hunter2@a:1", "etcd://:hunter2@a:1",
                           "etcd://me:hunter2%4@a:1", "etcd://me:hunter2%zz@a:1", "etcd://me:hunter2@"}) {
    const auto address = parse_etcd_address(text);
    INFO(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == Errc::invalid_argument);
    CHECK(address.error().message.find("hunter2") == std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast::failover
