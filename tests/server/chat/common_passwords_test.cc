#include "server/chat/common_passwords.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_backend.h"

namespace holdfast::chat {

TEST_CASE("Common passwords: they are found in their disguises, and uncommon ones are not") {
  for (const char* word :
       {"Password",   "passw0rd1", "12345678",         "87654321",       "aaaaaaaa",  "abababab",      "abc12345",
        "qwerty123",  "1q2w3e4r",  "iloveyou!!",       "Sommer2024!",    "letmein99", "M1chael1985",   "trustno1",
        "dragon2000", "asdfghjk",  "passwordpassword", "FootballMonkey", "zaq12wsx",  "11223344556677"}) {
    INFO(word);
    CHECK(is_common_password(word, ""));
  }
  for (const char* good : {"correct horse battery staple", "vQ7#kd!pLz", "fjord-lantern-otter", "Blaubeerpfannkuchen",
                           "no4tr8gh2w", "wendy likes 7 cakes"}) {
    INFO(good);
    CHECK_FALSE(is_common_password(good, ""));
  }
  CHECK(is_common_password("annamaria1", "annamaria"));
  CHECK(common_words() > 800);
}

TEST_CASE("Common passwords: registration and a change refuse them, before anything is hashed or looked up") {
  FakeBackend backend;
  backend.password_pool_full = true;  // a hash would be answered RETRY
  CHECK(backend.run({}, registration(backend, "anna", "Password1!")).frame.error().code() == v1::INVALID_ARGUMENT);
  CHECK(backend.run({}, registration(backend, "annamaria", "annamaria99")).frame.error().code() ==
        v1::INVALID_ARGUMENT);
  backend.password_pool_full = false;
  const Device device = new_user(backend, "anna");
  v1::ClientFrame change;
  change.set_idempotency_id(backend.fresh_id().str());
  change.mutable_change_password()->set_old_password("correct horse");
  change.mutable_change_password()->set_new_password("anna1234");
  const v1::Error refused = backend.run(device.caller, change).frame.error();
  CHECK(refused.code() == v1::INVALID_ARGUMENT);
  CHECK(refused.message().starts_with("password: "));
  CHECK(backend.run({}, login(backend, "anna", "correct horse")).logged_in);
}

}  // namespace holdfast::chat
