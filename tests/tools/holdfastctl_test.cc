#include <catch2/catch.hpp>
#include <fstream>

#include "tests/storage/temp_directory.h"
#include "tools/holdfastctl/admin.h"
#include "tools/holdfastctl/drain_progress.h"
#include "tools/holdfastctl/figures.h"
#include "tools/holdfastctl/show.h"
#include "tools/holdfastctl/sink.h"
#include "tools/holdfastctl/table.h"
#include "tools/holdfastctl/verify.h"

using namespace holdfast;
using namespace holdfast::ctl;
using namespace std::chrono_literals;

namespace {

http::NodeFigures node(std::uint32_t id, bool live = true) {
  http::NodeFigures figures;
  figures.id = id;
  figures.name = "n" + std::to_string(id);
  figures.live = live;
  figures.life = live ? "alive" : "dead";
  figures.health = live ? "ok" : "";
  return figures;
}

http::PartitionFigures partition(std::uint32_t id, std::uint32_t primary, std::vector<std::uint32_t> in_sync) {
  http::PartitionFigures figures;
  figures.id = id;
  figures.epoch = 4;
  figures.primary = primary;
  figures.in_sync = std::move(in_sync);
  figures.replicas = {1, 2, 3};
  figures.min_isr = 2;
  return figures;
}

http::ClusterFigures three() {
  http::ClusterFigures cluster;
  cluster.self = 1;
  cluster.registered = true;
  cluster.copies = 3;
  cluster.coordinator = http::ClusterFigures::Coordinator{2, 7, 1'000};
  cluster.nodes = {node(1), node(2), node(3)};
  cluster.partitions = {partition(0, 1, {1, 2, 3}), partition(1, 2, {1, 2, 3})};
  return cluster;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool worried(const http::ClusterFigures& cluster, std::string_view about) {
  const auto all = worries(cluster);
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return contains(one, about); });
}

}  // namespace

TEST_CASE("Table: columns are as wide as their widest cell, numbers stand to the right, nothing trails") {
  const auto text = render_table({"NAME", "N"}, {{"a", std::uint64_t{5}}, {"längst", std::uint64_t{1234}}}, false);
  CHECK(text ==
        "NAME       N\n"
        "a          5\n"
        "längst  1234\n");
  CHECK(render_table({"A", "B"}, {{"x", ""}}, false) == "A  B\nx\n");
}

TEST_CASE("Table: colours change no widths, and are left out where nobody sees them") {
  const std::vector<Row> rows{{Cell("up", Tone::good), "x"}, {Cell("down", Tone::bad), "y"}};
  CHECK(contains(render_table({"S", "T"}, rows, true), "\033[32mup\033[0m    x"));
  CHECK_FALSE(contains(render_table({"S", "T"}, rows, false), "\033"));
}

TEST_CASE("Status: what is well says so; what is not is named") {
  const auto well = show_status({three(), {}}, from_ms(61'000), false);
  CHECK(contains(well, "3 nodes, 2 partitions; n2 coordinates, for 60 s (term 7)"));
  CHECK(contains(well, "2 with 3"));
  CHECK(contains(well, "All is well."));

  auto cluster = three();
  cluster.nodes[1] = node(2, false);
  const auto down = show_status({cluster, {}}, from_ms(61'000), false);
  CHECK(contains(down, "n2 is down"));
  CHECK(contains(down, "1 partition without a live primary (they serve nobody): 1"));
  CHECK_FALSE(contains(down, "All is well."));
}

TEST_CASE("Status: too few live copies, copies being filled, safe mode and a missing coordinator are worries") {
  auto cluster = three();
  CHECK(worries(cluster).empty());
  cluster.partitions[0].in_sync = {1, 3};
  CHECK(worried(cluster, "not in sync"));
  CHECK_FALSE(worried(cluster, "too few live copies"));
  cluster.nodes[2] = node(3, false);
  CHECK(worried(cluster, "too few live copies"));
  cluster.safe_mode = "2 of 5 nodes visible";
  CHECK(worried(cluster, "2 of 5 nodes visible"));
  cluster.coordinator.reset();
  CHECK(worried(cluster, "nobody coordinates"));
}

TEST_CASE("Status: a node that runs and is not well is a worry, and says in which way") {
  auto cluster = three();
  for (const char* health : {"full", "slow", "late", "draining"}) {
    cluster.nodes[1].health = health;
    CHECK(worried(cluster, std::string("n2 is ") + health + ": "));
    CHECK_FALSE(contains(show_status({cluster, {}}, from_ms(61'000), false), "All is well."));
  }
  cluster.nodes[1].health = "";  // nobody has heard of it yet
  CHECK(worries(cluster).empty());
  cluster.nodes[1] = node(2, false);
  cluster.nodes[1].health = "full";
  CHECK(worried(cluster, "n2 is down"));
  CHECK_FALSE(worried(cluster, "full"));
}

TEST_CASE("Status: a node that was left drained is a worry, and how to end it is said") {
  auto cluster = three();
  cluster.nodes[2].draining = true;
  CHECK(worried(cluster, "holdfastctl undrain n3"));
  CHECK(worries(cluster).size() == 1);
  cluster.nodes[2].live = false;
  CHECK(worries(cluster).size() == 2);
}

TEST_CASE("Status: fewer copies than configured are a worry where a node could hold one more") {
  auto cluster = three();
  cluster.partitions[1].replicas = cluster.partitions[1].in_sync = {1, 2};
  CHECK(worried(cluster, "1 partition with fewer copies than 3, though there are nodes for them: 1"));
  cluster.nodes[2].draining = true;
  CHECK_FALSE(worried(cluster, "fewer copies"));
  cluster.nodes[2] = node(3, false);
  CHECK_FALSE(worried(cluster, "fewer copies"));
  cluster.nodes.push_back(node(4));
  CHECK(worried(cluster, "fewer copies"));
  cluster.copies = 0;  // a node of an earlier version does not tell
  CHECK_FALSE(worried(cluster, "fewer copies"));
}

TEST_CASE("Status: a node is up, suspect, draining, drained or down") {
  const auto cluster = three();
  auto one = node(1);
  CHECK(state_of(cluster, one) == "up");
  one.life = "suspect";
  CHECK(state_of(cluster, one) == "suspect");
  one.draining = true;
  one.primaries = 3;
  CHECK(state_of(cluster, one) == "draining");
  one.primaries = 0;
  CHECK(state_of(cluster, one) == "drained");
  one.live = false;
  CHECK(state_of(cluster, one) == "down");
}

TEST_CASE("Drain: over when nothing is led, and no copy is left that another node could hold") {
  auto cluster = three();
  auto one = node(1);
  one.draining = true;
  one.primaries = 1;
  one.copies = 2;
  cluster.nodes[0] = one;
  CHECK_FALSE(is_drained(cluster, one));
  one.primaries = 0;
  CHECK(is_drained(cluster, one));  // three copies want three nodes: it keeps its own
  cluster.nodes.push_back(node(4));
  CHECK_FALSE(is_drained(cluster, one));
  one.copies = 0;
  CHECK(is_drained(cluster, one));
  one.draining = false;
  CHECK_FALSE(is_drained(cluster, one));
}

TEST_CASE("Drain: each step is said once, and what holds it up whenever nothing has moved for half a minute") {
  auto cluster = three();
  cluster.nodes[0].draining = true;
  cluster.nodes[0].primaries = 2;
  const SteadyTime began{};
  const auto at = [&](std::chrono::seconds later) {
    return began + std::chrono::hours(1) + std::chrono::duration_cast<SteadyTime::duration>(later);
  };
  DrainProgress progress;
  CHECK(contains(progress.look(cluster, cluster.nodes[0], at(0s)), "leads 2 partitions"));
  CHECK(progress.look(cluster, cluster.nodes[0], at(29s)).empty());
  cluster.nodes[0].primaries = 1;
  CHECK(contains(progress.look(cluster, cluster.nodes[0], at(29s)), "leads 1 partition,"));
  CHECK(progress.look(cluster, cluster.nodes[0], at(58s)).empty());

  cluster.partitions[1].in_sync = {1, 2};
  cluster.nodes[2] = node(3, false);
  const auto held = progress.look(cluster, cluster.nodes[0], at(59s));
  INFO(held);
  CHECK(contains(held, "n3 is down"));
  CHECK(contains(held, "not in sync"));
  CHECK(contains(held, "--no-wait"));
  CHECK(contains(held, "undrain n1"));
  CHECK_FALSE(contains(held, "n1 is kept from leading"));  // that is what was asked for
  CHECK(progress.look(cluster, cluster.nodes[0], at(88s)).empty());
  CHECK(contains(progress.look(cluster, cluster.nodes[0], at(89s)), "No progress"));
}

TEST_CASE("Status: for programs, each node has its lag, null where nobody tells it, and all else is as the node said") {
  const std::string told =
      R"({"self":1,"new in a later version":[1],"nodes":[{"id":1,"name":"n1"},{"id":2,"name":"n2"}],"partitions":[]})";
  CHECK(with_lags(told, {{2, 30}}) == R"({"self":1,"new in a later version":[1],"nodes":[{"id":1,"name":"n1",)"
                                      R"("lag":null},{"id":2,"name":"n2","lag":30}],"partitions":[]})"
                                      "\n");
}

TEST_CASE("Status: lag is the most that any primary says of the node, and unknown if none says anything") {
  Seen seen{three(), {}};
  CHECK_FALSE(lag_of(seen, 3));
  http::CopyFigures copy;
  copy.last_seq = 50;
  copy.others = {{2, 50, true, true}, {3, 20, false, true}};
  seen.copies[1] = {1, {copy}};
  CHECK(lag_of(seen, 2) == 0);
  CHECK(lag_of(seen, 3) == 30);
}

TEST_CASE("Nodes are found by name or number, and who is not is told which there are") {
  const auto cluster = three();
  CHECK(find_node(cluster, "n2")->id == 2);
  CHECK(find_node(cluster, "3")->name == "n3");
  const auto none = find_node(cluster, "n9");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::invalid_argument);
  CHECK(contains(none.error().message, "1 (n1), 2 (n2), 3 (n3)"));
  auto named_by_number = cluster;
  named_by_number.nodes[2].name = "1";
  CHECK(find_node(named_by_number, "1")->id == 3);
}

TEST_CASE("Figures: what is missing in an answer is named") {
  const auto none = parse_cluster("{\"self\": 1}");
  REQUIRE_FALSE(none);
  CHECK(contains(none.error().message, "registered"));
  CHECK_FALSE(parse_cluster("<html>"));
  CHECK_FALSE(parse_events("[]"));
  CHECK(parse_error("{\"error\":\"not_found\",\"message\":\"there is no node 9\"}") == "there is no node 9");
  CHECK_FALSE(parse_error("Bad gateway\n<html>"));
}

TEST_CASE("Admin addresses: several with commas, and a wrong one is named with an example") {
  const auto two = parse_admin("127.0.0.1:7490,[::1]:7491");
  REQUIRE(two);
  CHECK((*two)[1].str() == "[::1]:7491");
  for (const char* bad : {"", "localhost", "a:1,", ",a:1", "a:99999"}) {
    const auto wrong = parse_admin(bad);
    REQUIRE_FALSE(wrong);
    CHECK(contains(wrong.error().message, "--admin"));
  }
}

TEST_CASE("Admin: when nobody answers, it is said what was tried and what to do") {
  const auto text = nobody_answered({{"127.0.0.1", 7490}, {"h", 1}}, {"refused", "too slow"});
  CHECK(contains(text, "127.0.0.1:7490  refused"));
  CHECK(contains(text, "h:1  too slow"));
  CHECK(contains(nobody_answered({{"h", 1}}, {"h:1 answers HTTP"}), ":\n  h:1  answers HTTP\n"));
  CHECK(contains(text, "Is holdfastd running there?"));
}

TEST_CASE("Admin: what a node refuses names the node and says its reason") {
  const HostPort where{"h", 7490};
  for (const auto& [status, code] : {std::pair{400u, Errc::unsupported},
                                     {401u, Errc::permission_denied},
                                     {404u, Errc::not_found},
                                     {409u, Errc::not_primary},
                                     {503u, Errc::retry_later},
                                     {500u, Errc::io}}) {
    HttpResponse response;
    response.status = status;
    response.body = "{\"error\":\"x\",\"message\":\"node 2 coordinates\"}";
    const Error error = refused(where, response);
    CHECK(error.code == code);
    CHECK(contains(error.message, "h:7490"));
    CHECK(contains(error.message, "node 2 coordinates"));
  }
}

TEST_CASE("Admin: who answers HTTP and is no node is said to be none, whatever the status") {
  const HostPort where{"h", 80};
  for (const unsigned status : {200u, 401u, 404u, 405u, 502u, 503u}) {
    HttpResponse response;
    response.status = status;
    response.body = "<!DOCTYPE HTML>\n<html>";
    const auto page = page_of(where, response);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == Errc::io);  // not a node's not_found: another address may be right
    CHECK(contains(page.error().message,
                   "h:80 answers HTTP (" + std::to_string(status) + "), but is no operators' port"));
    CHECK_FALSE(contains(page.error().message, "DOCTYPE"));
  }
  HttpResponse told;
  told.body = "{\"self\":1}\n";
  const auto page = page_of(where, told);
  REQUIRE(page);
  CHECK(*page == told.body);
}

TEST_CASE("Sink: a file that can't be opened is named with the reason, before anything is written") {
  const auto none = Sink::open("/nowhere/at/all");
  REQUIRE_FALSE(none);
  CHECK(contains(none.error().message, "/nowhere/at/all"));
  CHECK(contains(none.error().message, "No such file or directory"));
}

TEST_CASE("Sink: what is written is for its owner only, also where others could read the file before") {
  TempDirectory folder;
  for (const char* name : {"new", "old"}) {
    const auto path = folder.path() / name;
    if (std::string(name) == "old") {
      std::ofstream(path) << "what was there before, and is longer";
      std::filesystem::permissions(path, std::filesystem::perms(0644));
    }
    auto sink = Sink::open(path);
    REQUIRE(sink);
    REQUIRE(sink->write("alice\t"));
    REQUIRE(sink->write("token\n"));
    std::string line;
    std::ifstream in(path);
    std::getline(in, line);
    CHECK(line == "alice\ttoken");
    CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0600));
  }
}

TEST_CASE("Verify: copies are compared at the least that is committed at all of them") {
  http::CopyFigures far, near;
  far.committed = 90;
  near.committed = 60;
  CHECK(common_seq({{1, far}, {2, near}}) == 60);
  CHECK(common_seq({}) == 0);
}

TEST_CASE("Verify: a difference names the partition, the entry and what each node has") {
  Verified found;
  found.compared = 2;
  found.copies = 6;
  found.nodes = {1, 2, 3};
  CHECK(contains(show_verified(three(), found), "no difference"));
  found.differing = {{1, 60, {{1, "aaaa"}, {2, "bbbb"}}}};
  const auto text = show_verified(three(), found);
  CHECK(contains(text, "DIFFERENT: partition 1 at entry 60: n1 aaaa n2 bbbb"));
  CHECK_FALSE(contains(text, "no difference"));
}
