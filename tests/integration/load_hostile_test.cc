/// holdfast-load hostile: each kind of bad client as a load beside honest traffic. What the honest notice is compared
/// with what they noticed before, in the same run; what it costs the server is bounded by how many there are at once.
#include <catch2/catch.hpp>

#include "tests/integration/load_run.h"
#include "tests/support/http_get.h"

namespace holdfast {
namespace {

using testing::check_well;
using testing::eventually;
using testing::LoadRun;
using testing::metric;
using testing::run_load;
using testing::ServerOptions;
using testing::ServerProcess;

/// A server of its own, which is soon tired of who does not come to the point.
ServerOptions impatient() { return {.config = "[clients]\nhandshake_max_s = 1\nlogin_max_s = 2\n"}; }

struct Bad {
  std::string kind;
  std::uint64_t connections;
  double kib_each;  ///< what one of them may cost the server's memory while it is there
};

/// Nothing lost, doubled, out of order or left unanswered; not much slower than without them; memory bounded by how many
/// of them there are, however often they come; and when they have gone, they are gone.
LoadRun check_beside(const ServerProcess& server, const Bad& bad) {
  // However slow and busy the machine: one message in a hundred that takes longer is an outage.
  constexpr double kFactor = 20, kFloor_ms = 2'000;
  // Caches and write buffers of the server fill with the honest traffic, too.
  constexpr double kFloor_mib = 64;
  LoadRun run = run_load(server, {"hostile", "--kind", bad.kind, "--connections", std::to_string(bad.connections),
                                  "--seconds", "3", "--live-pairs", "10", "--live-rate", "100"});
  INFO(run.ended.out << run.ended.err);
  check_well(run);
  CHECK(run.number("attempts") >= static_cast<double>(bad.connections));
  CHECK(run.number("live_before_ms", "count") >= 250);
  CHECK(run.number("live_during_ms", "count") >= 250);
  CHECK(run.number("live_during_ms", "p99") < kFloor_ms + kFactor * run.number("live_before_ms", "p99"));
  CHECK(run.number("server_resident_mib_max") < run.number("server_resident_mib_before") + kFloor_mib +
                                                    static_cast<double>(bad.connections) * bad.kib_each / 1'024);
  CHECK(eventually([&] { return metric(server.admin_port(), "holdfast_connections ") == 0; }));
  return run;
}

/// Who asked has waited for what became of it, however long that took.
void check_each_has_its_outcome(const LoadRun& run) {
  CHECK(run.number("answered") + run.number("denied") + run.number("closed") + run.number("unreachable") ==
        run.number("attempts"));
}

double refused(const ServerProcess& server, const std::string& reason) {
  return metric(server.admin_port(), "connections_refused_total{reason=\"" + reason + "\"");
}

}  // namespace

TEST_CASE("holdfast-load hostile: half-open handshakes by the thousand cost the others nothing") {
  const ServerProcess server(impatient());
  const LoadRun run = check_beside(server, {"half-open", 1'000, 64});
  CHECK(run.number("answered") == 0);
  CHECK(run.number("closed") > 0);
  CHECK(refused(server, "stopped_handshake") > 0);
}

TEST_CASE("holdfast-load hostile: a thousand connections that never speak cost the others nothing") {
  const ServerProcess server(impatient());
  const LoadRun run = check_beside(server, {"silent", 1'000, 16});
  CHECK(run.number("answered") == 0);
  CHECK(run.number("closed") > 0);
}

TEST_CASE("holdfast-load hostile: one byte a second, before the hello and after it, costs the others nothing") {
  const ServerProcess server(impatient());
  const LoadRun run = check_beside(server, {"slow", 500, 32});
  // Those of the first half are hung up on before the second half's time is over.
  CHECK(run.number("closed") > 0);
  CHECK(run.number("denied") == 0);
}

TEST_CASE("holdfast-load hostile: who asks for history again and again costs the others nothing") {
  const ServerProcess server(impatient());
  const LoadRun run = check_beside(server, {"history", 20, 1'024});
  CHECK(run.number("answered") > 0);
}

TEST_CASE("holdfast-load hostile: wrong passwords from many addresses cost the others nothing") {
  const ServerProcess server;
  const LoadRun run = check_beside(server, {"passwords", 100, 64});
  check_each_has_its_outcome(run);
  CHECK(run.number("denied") > 0);
  CHECK(run.number("answered") == 0);
}

TEST_CASE("holdfast-load hostile: one token from many connections at once costs the others nothing") {
  const ServerProcess server;
  const LoadRun run = check_beside(server, {"token", 100, 64});
  check_each_has_its_outcome(run);
  CHECK(run.number("answered") > 0);
}

}  // namespace holdfast
