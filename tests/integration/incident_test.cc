/// Incidents with real servers: what users see of one that an operator declares, and of a node that dies.
#include <catch2/catch.hpp>

#include "tests/integration/raw_client.h"
#include "tests/support/cluster_process.h"
#include "tests/support/http_get.h"

namespace holdfast {
namespace {

using namespace testing;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

v1::StatusBanner banner(RawClient& client, bool open) {
  return client
      .await_push(
          [open](const auto& frame) { return frame.has_status_banner() && frame.status_banner().open() == open; })
      .status_banner();
}

std::string status_page(const ServerProcess& server) { return http_get(server.http_port(), "/status").body; }

}  // namespace

TEST_CASE("Incident: an operator's words reach who is connected, who comes later, and the status page") {
  ServerProcess server(ServerOptions{.workers = 2, .partitions = 4});
  RawClient anna(server.port());
  anna.register_as("anna");
  CHECK(eventually([&] { return has(status_page(server), "All is well"); }));
  CHECK(ctl(server, {"incident", "stop"}).exit_code == 1);
  const auto started = ctl(server, {"incident", "start", "Pictures are <slow> today."});
  INFO(started.err);
  REQUIRE(started.exit_code == 0);
  CHECK(banner(anna, true).text() == "Pictures are <slow> today.");
  RawClient berta(server.port());
  berta.register_as("berta");
  CHECK(banner(berta, true).text() == "Pictures are <slow> today.");
  CHECK(eventually([&] { return has(status_page(server), "Pictures are &lt;slow&gt; today."); }));

  server.kill_hard();
  server.start();
  CHECK(eventually([&] { return has(status_page(server), "There is a disturbance"); }));
  RawClient carla(server.port());
  carla.register_as("carla");
  CHECK(banner(carla, true).text() == "Pictures are <slow> today.");
  REQUIRE(ctl(server, {"incident", "stop", "It was the disk."}).exit_code == 0);
  CHECK_FALSE(banner(carla, false).open());
  CHECK(eventually([&] { return has(status_page(server), "Earlier"); }));
  CHECK(has(status_page(server), "All is well"));
  Ended audit;
  CHECK(eventually([&] { return has((audit = ctl(server, {"audit"})).out, "incident_stop done  by operator"); }));
  CHECK(has(audit.out, "incident_start done"));
}

TEST_CASE("Incident: whose node dies and who does not come back is affected; the others, and the journal, are told") {
  ClusterProcess cluster({.storage_config = "[incident]\nresume_bound_s = 1\n"});
  constexpr unsigned kDies = 2, kStays = 0;
  auto gone = std::make_unique<RawClient>(cluster.node(kDies).port());
  gone->register_as("gone");
  RawClient stays(cluster.node(kStays).port());
  stays.register_as("stays");
  const std::string noted = "\"last_node\":" + std::to_string(cluster.id_of(kDies).value);
  cluster.await("the session's row says where it is",
                [&] { return has(ctl(cluster.node(kStays), {"users", "export", "gone"}).out, noted); });

  cluster.node(kDies).kill_hard();
  cluster.await("the incident is on the status page",
                [&] { return has(status_page(cluster.node(kStays)), "There is a disturbance"); });
  CHECK(has(banner(stays, true).text(), "servers has failed"));
  Ended audit;
  cluster.await("the journal has it all", [&] {
    audit = ctl(cluster.node(kStays), {"audit"});
    return has(audit.out, "users_lost done") && has(audit.out, "incident_start done  by server") &&
           has(audit.out, "cluster_promoted");
  });
  INFO(audit.out);
  CHECK(has(audit.out, "cluster_dead done  by server target=\"node " + std::to_string(cluster.id_of(kDies).value)));
  const auto verified = ctl(cluster.node(kStays), {"audit", "verify"});
  INFO(verified.err);
  CHECK(verified.exit_code == 0);
}

}  // namespace holdfast
