#include "net/trusted_proxies.h"

#include <catch2/catch.hpp>

namespace holdfast {
namespace {

TrustedProxies proxies(const char* text) {
  auto parsed = TrustedProxies::parse(text);
  REQUIRE(parsed);
  return std::move(*parsed);
}

}  // namespace

TEST_CASE("Trusted proxies: an address is trusted by itself or by its network, IPv4 within IPv6 too") {
  const TrustedProxies some = proxies("10.0.0.0/8, 192.0.2.7,2001:db8::/33 , 198.51.100.128/25");
  for (const char* yes : {"10.1.2.3", "10.255.255.255", "192.0.2.7", "::ffff:10.1.2.3", "2001:db8::1",
                          "2001:db8:7fff::1", "198.51.100.128", "198.51.100.255"}) {
    INFO(yes);
    CHECK(some.trusts(yes));
  }
  for (const char* no :
       {"11.0.0.1", "192.0.2.8", "2001:db8:8000::1", "198.51.100.127", "::1", "", "10.0.0", "nobody"}) {
    INFO(no);
    CHECK_FALSE(some.trusts(no));
  }
  CHECK_FALSE(proxies("").trusts("127.0.0.1"));
  CHECK(proxies("0.0.0.0/0").trusts("203.0.113.9"));
  CHECK_FALSE(proxies("0.0.0.0/0").trusts("2001:db8::1"));
}

TEST_CASE("Trusted proxies: the rightmost address that is none of theirs is the client's") {
  const TrustedProxies some = proxies("10.0.0.0/8, 127.0.0.1");
  CHECK(some.client_of("127.0.0.1", "203.0.113.9") == "203.0.113.9");
  CHECK(some.client_of("127.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.7") ==
        "203.0.113.9");  // the first is the client's word
  CHECK(some.client_of("127.0.0.1", "203.0.113.9:4711") == "203.0.113.9");
  CHECK(some.client_of("127.0.0.1", "[2001:db8::7]:4711,10.0.0.7") == "2001:db8::7");
  CHECK(some.client_of("127.0.0.1", "2001:db8::7") == "2001:db8::7");
}

TEST_CASE("Trusted proxies: what anybody else says is nothing, and so is what is no address") {
  const TrustedProxies some = proxies("10.0.0.0/8");
  CHECK(some.client_of("203.0.113.9", "10.0.0.1") == "203.0.113.9");
  CHECK(TrustedProxies().client_of("127.0.0.1", "203.0.113.9") == "127.0.0.1");
  CHECK(some.client_of("10.0.0.1", "") == "10.0.0.1");
  CHECK(some.client_of("10.0.0.1", "203.0.113.9, unknown") == "10.0.0.1");
  CHECK(some.client_of("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2") == "10.0.0.2");
  CHECK(some.client_of("10.0.0.1", "10.0.0.2, 10.0.0.3") == "10.0.0.2");  // from within
}

TEST_CASE("Trusted proxies: what is neither address nor network is named") {
  for (const char* bad : {"proxy.example.org", "10.0.0.0/33", "10.0.0.0/", "2001:db8::/129", "10.0.0.0/8,,",
                          "10.0.0.0/-1", "192.0.2.7 10.0.0.1"}) {
    INFO(bad);
    const auto parsed = TrustedProxies::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message.find("is no address and no network") != std::string::npos);
  }
}

}  // namespace holdfast
