/// Where audit.addresses wants networks only, nothing that is written down has the whole address.
#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

constexpr const char* kWhole = "192.0.2.77";
constexpr const char* kNetwork = "192.0.2.0/24";

struct World : WaysBackWorld {
  explicit World(chat::AuditAddresses wanted) {
    chat::Limits limits = backend.limits();
    limits.audit_addresses = wanted;
    backend.set_limits(limits);
  }

  /// As from a connection at that address.
  chat::RequestOutcome from_there(chat::Caller caller, v1::ClientFrame frame) {
    caller.peer_address = kWhole;
    if (frame.idempotency_id().empty()) frame.set_idempotency_id(backend.fresh_id().str());
    chat::RequestOutcome outcome = backend.run(caller, std::move(frame));
    run_bus();
    return outcome;
  }
  /// In how many rows and events this text stands.
  std::size_t mentions(const std::string& text) {
    const auto has = [&text](const std::string& bytes) { return bytes.find(text) != std::string::npos; };
    std::size_t found = count_events([&](const log::Event& event) { return has(event.SerializeAsString()); });
    for (std::uint16_t p = 0; p < backend.partitions(); ++p)
      for (const auto& [key, value] : backend.partition(PartitionId(p)).rows) found += has(value) ? 1 : 0;
    return found;
  }

  /// Whatever is noted with where somebody was: by users, with right and wrong passwords, and by operators.
  void live_a_little() {
    v1::ClientFrame enter = chat::registration(backend, "anna", "correct horse");
    enter.mutable_register_()->set_email("anna@inbox.test");
    const chat::Caller anna = chat::caller_after(from_there({}, enter));
    REQUIRE_FALSE(verify(link(anna, "verify_address")).has_error());
    CHECK(from_there({}, chat::login(backend, "anna", "correct horse")).logged_in);
    for (int i = 0; i < 12; ++i) {
      from_there({}, chat::login(backend, "anna", "wrong"));
      backend.advance(std::chrono::minutes(2));
    }
    v1::ClientFrame change;
    change.mutable_change_password()->set_old_password("wrong");
    change.mutable_change_password()->set_new_password("battery staple");
    from_there(anna, change);
    v1::ClientFrame forgotten;
    forgotten.mutable_request_password_reset()->set_username("anna");
    from_there({}, forgotten);
    forgotten.mutable_request_password_reset()->set_email("anna@inbox.test");
    from_there({}, forgotten);

    chat::Caller clerk;
    clerk.operator_rights = true;
    for (const auto& fill : {+[](v1::ClientFrame& frame) { frame.mutable_reset_password()->set_username("anna"); },
                             +[](v1::ClientFrame& frame) { frame.mutable_recover_account()->set_username("anna"); },
                             +[](v1::ClientFrame& frame) {
                               frame.mutable_provision_users()->add_usernames("berta");
                               frame.mutable_provision_users()->set_device_name("desk");
                             },
                             +[](v1::ClientFrame& frame) {
                               frame.mutable_start_reset_wave()->set_wave(std::string(16, 'w'));
                               frame.mutable_start_reset_wave()->add_usernames("anna");
                             },
                             +[](v1::ClientFrame& frame) {
                               frame.mutable_set_account_status()->set_username("anna");
                               frame.mutable_set_account_status()->set_status(v1::BANNED);
                             }}) {
      v1::ClientFrame frame;
      fill(frame);
      const v1::ServerFrame answer = from_there(clerk, frame).frame;
      INFO(frame.ShortDebugString() << answer.ShortDebugString());
      CHECK_FALSE(answer.has_error());
    }
  }
};

}  // namespace

TEST_CASE("Audited addresses: whole where that is wanted, by users and by operators") {
  World world(chat::AuditAddresses::full);
  world.live_a_little();
  CHECK(world.mentions(kWhole) >= 10);
}

TEST_CASE("Audited addresses: cut to the network before anything is written, whoever asks for whatever") {
  World world(chat::AuditAddresses::network);
  world.live_a_little();
  CHECK(world.mentions(kWhole) == 0);
  CHECK(world.mentions(kNetwork) >= 10);
}

TEST_CASE("Audited addresses: left out where none is wanted") {
  World world(chat::AuditAddresses::none);
  world.live_a_little();
  CHECK(world.mentions("192.0.2.") == 0);
}

}  // namespace holdfast::services
