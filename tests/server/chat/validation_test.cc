#include "server/chat/validation.h"

#include <catch2/catch.hpp>

using namespace holdfast::chat;

namespace {
const Limits kLimits;
}

TEST_CASE("UTF-8: well-formed text passes, and only that (RFC 3629)") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("Grüße, 世界 🎉"));
  CHECK(is_utf8("\xf4\x8f\xbf\xbf"));  // U+10FFFF
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5",
                          "\xff", "\xc3", "\xe4\xb8", "a\xc3(", "\xf0\x80\x80\x80"})
    CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("Names: what is out of bounds is named with its bound") {
  CHECK_FALSE(bad_username("a.b_c-9", kLimits));
  CHECK_FALSE(bad_username(std::string(64, 'x'), kLimits));
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("Anna"), std::string("a b"),
                                  std::string("ä"), std::string("a\0b", 3)})
    CHECK(bad_username(name, kLimits) == "username: 1 to 64 of [a-z0-9._-]");
  CHECK(bad_device_name(std::string(129, 'x'), kLimits) == "device_name: at most 128 bytes");
  CHECK(bad_device_name("\xff", kLimits) == "device_name: not valid UTF-8");
  CHECK(bad_title("", kLimits));
  CHECK(bad_title("two\nlines", kLimits) == "title: no control characters");
  CHECK_FALSE(bad_title("Über uns", kLimits));
}

TEST_CASE("Passwords: 8 to 1,024 bytes to set one, any up to the bound to try one") {
  CHECK(bad_new_password("1234567", kLimits) == "password: 8 to 1024 bytes");
  CHECK(bad_new_password(std::string(1025, 'x'), kLimits));
  CHECK(bad_new_password(std::string("1234\0678", 8), kLimits));
  CHECK_FALSE(bad_new_password("12345678", kLimits));
  CHECK_FALSE(bad_new_password("\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", kLimits));
  CHECK_FALSE(bad_password("short", kLimits));
  CHECK(bad_password(std::string(1025, 'x'), kLimits));
}

TEST_CASE("Addresses: something at something, or nothing") {
  CHECK_FALSE(bad_email("", kLimits));
  CHECK_FALSE(bad_email("name+tag@example.org", kLimits));
  for (const char* bad : {"@example.org", "name@", "name", "a b@example.org", "a@b@c d", "name@example.org\nBcc: x@y"})
    CHECK(bad_email(bad, kLimits));
  CHECK(bad_email(std::string(250, 'x') + "@y.de", kLimits) == "email: at most 254 bytes");
}
