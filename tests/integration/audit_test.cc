/// The audit journal of real servers: what operators read of it, that tampering is found, and what is stored about a user.
#include <catch2/catch.hpp>

#include <boost/json.hpp>

#include "storage/keys.h"
#include "storage/rocksdb_database.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"
#include "tests/support/cluster_process.h"
#include "tests/support/http_get.h"
#include "tests/support/requests.h"

namespace holdfast {
namespace {

using namespace testing;
namespace json = boost::json;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The first line of a partition's journal that there is, made another by somebody at the disk.
void spoil(const ServerProcess& server, std::uint16_t partitions) {
  RocksOptions options;
  options.path = (server.data() / "state").string();
  options.profile = RocksProfile::state;
  auto database = open_rocksdb(options);
  REQUIRE(database);
  for (std::uint16_t p = 0; p < partitions; ++p) {
    const std::string key = keys::stored(PartitionId(p), keys::audit(1));
    auto row = (*database)->get(key);
    REQUIRE(row);
    if (!*row) continue;
    std::string value = **row;
    value.back() = static_cast<char>(value.back() ^ 1);
    Batch batch;
    batch.put(key, value);
    REQUIRE((*database)->write(batch, Durability::synced));
    return;
  }
  FAIL("no partition has a line");
}

}  // namespace

TEST_CASE("Audit: operators see what users and operators did, and nobody does without the key") {
  const std::string name = fresh_name("audited");
  RawClient user(shared_server().port());
  user.register_as(name);
  v1::ClientFrame wrong = requests::change_password("not my password", "another password");
  CHECK(user.refused(wrong).code() == v1::WRONG_CREDENTIALS);
  REQUIRE(ctl(shared_server(), {"users", "suspend", name, "--reason", "looked suspicious"}).exit_code == 0);

  Ended shown;
  const bool there = eventually([&] {
    shown = ctl(shared_server(), {"audit", "--user", name});
    return has(shown.out, "set_account_status");
  });
  INFO(shown.out << shown.err);
  REQUIRE(there);
  CHECK(has(shown.out, "account_create done  by user " + name));
  CHECK(has(shown.out, "log_in refused  by anybody user=" + name + " from=127.0.0.1"));
  CHECK(has(shown.out, "why=\"looked suspicious\""));
  CHECK_FALSE(has(shown.out, "not my password"));
  CHECK(has(ctl(shared_server(), {"audit", "--json", "--since", "1h"}).out, "\"action\":\"account_create\""));
  CHECK(ctl(shared_server(), {"audit", "--user", name, "--since", "2100-01-01"}).out.empty());
  CHECK(ctl(shared_server(), {"audit", "--since", "yesterday"}).exit_code == 2);
  CHECK(ctl(shared_server(), {"audit", "--user", fresh_name("nobody")}).exit_code == 1);

  CHECK(http_get(shared_server().admin_port(), "/admin/audit?user=" + name).status == 401);
  CHECK(http_get(shared_server().admin_port(), "/admin/export?user=" + name).status == 401);
}

TEST_CASE("Audit: verify finds a line that was altered on the disk, and says in which partition") {
  ServerProcess server(ServerOptions{.workers = 1, .partitions = 4});
  {
    RawClient user(server.port());
    user.register_as("anna");
    const bool written = eventually([&] { return has(ctl(server, {"audit"}).out, "account_create"); });
    REQUIRE(written);
  }
  const auto whole = ctl(server, {"audit", "verify"});
  INFO(whole.out << whole.err);
  CHECK(whole.exit_code == 0);
  CHECK(has(whole.out, "none is missing"));
  server.stop();
  spoil(server, 4);
  server.start();
  const auto spoilt = ctl(server, {"audit", "verify"});
  INFO(spoilt.out << spoilt.err);
  CHECK(spoilt.exit_code == 1);
  CHECK(has(spoilt.err, "line 1 was altered"));
}

TEST_CASE("Audit: a user can be exported whole, without secrets, and deleted") {
  const std::string name = fresh_name("exported");
  RawClient user(shared_server().port()), other(shared_server().port());
  user.register_as(name);
  other.register_as(fresh_name("other"));
  const auto talk = user.ask(requests::open_direct(*UserId::from_bytes(other.user_id)));
  const std::string conversation = talk.conversation().conversation_id();
  user.ask(post_frame(conversation, "what I wrote, \"quoted\""));
  other.ask(post_frame(conversation, "what the other wrote"));
  user.await_change(conversation, 3);
  v1::ClientFrame mails;
  mails.mutable_set_mail_settings()->set_mode(v1::MAIL_NOTICE);
  mails.mutable_set_mail_settings()->set_language("de");
  REQUIRE_FALSE(user.ask(mails).has_error());

  const auto exported = ctl(shared_server(), {"users", "export", name});
  INFO(exported.out << exported.err);
  REQUIRE(exported.exit_code == 0);
  const json::object all = json::parse(exported.out).as_object();
  const json::object& data = all.at("data").as_object();
  CHECK(data.at("account").as_array().at(0).as_object().at("username").as_string() == name);
  CHECK(data.at("sessions").as_array().size() == 1);
  CHECK(data.at("conversations").as_array().size() == 1);
  CHECK(data.at("mail_settings").as_array().at(0).as_object().at("language").as_string() == "de");
  const json::array& written = data.at("written").as_array();
  REQUIRE(written.size() == 2);  // that it was opened, and the post
  CHECK(written.at(1).as_object().at("posted").as_object().at("body").as_string() == "what I wrote, \"quoted\"");
  CHECK_FALSE(data.at("audit").as_array().empty());
  CHECK_FALSE(has(exported.out, "what the other wrote"));
  CHECK_FALSE(has(exported.out, "hash"));
  CHECK_FALSE(has(exported.out, "argon2"));

  const std::string key = (shared_server().data() / "operator.key").string();
  const auto meant = [&](const std::string& typed) {
    return run_program({"/bin/sh", "-c",
                        "echo " + typed + " | " + program("holdfastctl") +
                            " --server 127.0.0.1:" + std::to_string(shared_server().port()) + " --operator-key " + key +
                            " users delete " + name + " --reason asked"});
  };
  CHECK(meant("no").exit_code == 1);
  CHECK(ctl(shared_server(), {"users", "export", name}).exit_code == 0);
  const auto deleted = meant(name);
  INFO(deleted.out << deleted.err);
  CHECK(deleted.exit_code == 0);
  CHECK(user.await_push([](const auto& frame) { return frame.has_session_ended(); }).session_ended().reason() ==
        "the account was deleted by an operator");
  CHECK(ctl(shared_server(), {"users", "export", name}).exit_code == 1);
  CHECK(eventually([&] { return has(ctl(shared_server(), {"audit", "--since", "1h"}).out, "delete_account done"); }));
}

}  // namespace holdfast
