#include "clients/cpp/endpoints.h"

#include <set>

#include "play.h"

using namespace holdfast;
using namespace holdfast::client;
using namespace holdfast::client::play;

namespace {
Endpoint at(const std::string& host) { return {host, 7400, false, false}; }
}  // namespace

TEST_CASE("Endpoints: the application's are tried round and round, in an order drawn by each client") {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    Endpoints endpoints({at("a"), at("b"), at("c")}, random);
    std::vector<std::string> order;
    for (int i = 0; i < 3; ++i) {
      order.push_back(endpoints.current().host);
      endpoints.failed();
    }
    CHECK(endpoints.current().host == order[0]);
    CHECK(std::set<std::string>(order.begin(), order.end()).size() == 3);
    orders.insert(order);
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("Endpoints: after a loss the best of the others comes first, the lost one last") {
  SeededRandom random(1);
  Endpoints endpoints({at("b")}, random);
  endpoints.set_ranked({"a:7400", "b:7400", "c:7400"});
  CHECK(endpoints.current() == at("b"));  // hearing of others moves nobody
  endpoints.lost();
  CHECK(endpoints.current() == at("a"));
  endpoints.failed();
  CHECK(endpoints.current() == at("c"));
  endpoints.failed();
  CHECK(endpoints.current() == at("b"));
  endpoints.failed();
  CHECK(endpoints.current() == at("a"));
}

TEST_CASE("Endpoints: at the first choice, a loss leads to the second") {
  SeededRandom random(1);
  Endpoints endpoints({at("z")}, random);
  endpoints.set_ranked({"a:7400", "b:7400", "c:7400"});
  endpoints.moved_to(at("a"));
  endpoints.lost();
  CHECK(endpoints.current() == at("b"));
  endpoints.failed();
  CHECK(endpoints.current() == at("c"));
  endpoints.failed();
  CHECK(endpoints.current() == at("z"));  // what the application gave is never forgotten
  endpoints.failed();
  CHECK(endpoints.current() == at("a"));
}

TEST_CASE("Endpoints: with one endpoint a loss leads back to it") {
  SeededRandom random(1);
  Endpoints endpoints({at("a")}, random);
  endpoints.lost();
  CHECK(endpoints.current() == at("a"));
  endpoints.failed();
  CHECK(endpoints.current() == at("a"));
}

TEST_CASE("Endpoints: a server can't talk a client out of TLS, and what is no address is passed over") {
  SeededRandom random(1);
  Endpoints endpoints({{"a", 7400, true, true}}, random);
  endpoints.set_ranked({"holdfast://evil:1", "b:99999", "b:7401", "[::1]:7402"});
  CHECK(endpoints.ranked() == std::vector<std::string>{"b:7401", "[::1]:7402"});
  endpoints.lost();
  CHECK(endpoints.current() == Endpoint{"b", 7401, true, true});
  endpoints.set_ranked({});
  CHECK(endpoints.ranked().size() == 2);
}
