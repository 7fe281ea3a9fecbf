#include "clients/cpp/endpoint.h"

#include <catch2/catch.hpp>

using namespace holdfast::client;

TEST_CASE("Endpoint: every way of writing one") {
  CHECK(*parse_endpoint("chat.example.org") == Endpoint{"chat.example.org", 7400, false, false});
  CHECK(*parse_endpoint("127.0.0.1:7401") == Endpoint{"127.0.0.1", 7401, false, false});
  CHECK(*parse_endpoint("holdfast://a:1") == Endpoint{"a", 1, false, false});
  CHECK(*parse_endpoint("holdfasts://a") == Endpoint{"a", 7400, true, false});
  CHECK(*parse_endpoint("ws://a:80/") == Endpoint{"a", 80, false, true});
  CHECK(*parse_endpoint("wss://[::1]:443") == Endpoint{"::1", 443, true, true});
  CHECK(parse_endpoint("wss://[::1]:443")->str() == "wss://[::1]:443");
}

TEST_CASE("Endpoint: what is none is named") {
  for (const char* bad : {"", ":7400", "http://a", "a:0", "a:65536", "a:7400x", "[::1", "a b:1", "a/b", "a:"})
    CHECK_FALSE(parse_endpoint(bad));
  CHECK(parse_endpoint("http://a").error().message.find("http://a") != std::string::npos);
}

TEST_CASE("Endpoint: several, and all must be good") {
  CHECK(parse_endpoints("a,b:1,wss://c")->size() == 3);
  CHECK_FALSE(parse_endpoints("a,,b"));
  CHECK_FALSE(parse_endpoints(""));
}
