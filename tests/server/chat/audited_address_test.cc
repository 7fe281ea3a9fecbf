#include "server/chat/audited_address.h"

#include <catch2/catch.hpp>

using namespace holdfast::chat;

TEST_CASE("Audited address: whole, its network, or nothing, as configured") {
  Limits limits;
  CHECK(audited_address("192.0.2.77", limits) == "192.0.2.77");
  limits.audit_addresses = AuditAddresses::network;
  CHECK(audited_address("192.0.2.77", limits) == "192.0.2.0/24");
  CHECK(audited_address("::ffff:192.0.2.77", limits) == "192.0.2.0/24");
  CHECK(audited_address("2001:db8:1:2:3:4:5:6", limits) == "2001:db8:1::/48");
  CHECK(audited_address("fe80::1%eth0", limits) == "fe80::/48");
  CHECK(audited_address("somewhere", limits).empty());
  limits.audit_addresses = AuditAddresses::none;
  CHECK(audited_address("192.0.2.77", limits).empty());
}
