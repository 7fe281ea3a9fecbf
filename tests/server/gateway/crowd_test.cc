#include "server/gateway/crowd.h"

#include "door.h"

using namespace holdfast;
using namespace holdfast::gateway;
using namespace std::chrono_literals;

TEST_CASE("Crowd: while all that wait fit into the time that clients have, all are let in") {
  Crowd crowd({.wait_max = 100ms, .each_at_first = 1ms});
  const SteadyTime now{1h};
  crowd.look(0, 4'096, now);
  CHECK_FALSE(crowd.is_there());
  CHECK_FALSE(crowd.next(now));
  crowd.look(100, 4'096, now);
  CHECK(crowd.is_there());
  for (int i = 0; i < 100; ++i) CHECK_FALSE(crowd.next(now));
}

TEST_CASE("Crowd: who is too many is sent away first, and told to come back one after the other") {
  Crowd crowd({.wait_max = 100ms, .each_at_first = 1ms});
  const SteadyTime now{1h};
  crowd.look(103, 4'096, now);
  CHECK(crowd.surplus() == 3);
  CHECK(crowd.next(now) == 100ms);
  CHECK(crowd.next(now) == 101ms);
  CHECK(crowd.next(now) == 102ms);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(crowd.next(now));
}

TEST_CASE("Crowd: a queue that the system bounds is not let grow to where it drops who comes") {
  Crowd crowd({.wait_max = 1'000ms, .each_at_first = 1us, .sent_away_at_once = 100});
  crowd.look(3'100, 4'096, SteadyTime{1h});
  CHECK(crowd.surplus() == 3'100 - 3'072);
}

TEST_CASE("Crowd: how long one takes is learned from those who were let in") {
  Crowd crowd({.wait_max = 400ms, .each_at_first = 100us});
  SteadyTime now{1h};
  for (int i = 0; i < 100; ++i) {  // 16 of them take 16 ms
    crowd.look(430, 4'096, now);
    while (crowd.surplus() > 0) crowd.next(now);
    for (int k = 0; k < 16; ++k) CHECK_FALSE(crowd.next(now));
    now += 16ms;
  }
  CHECK(crowd.each() > 950us);
  CHECK(crowd.each() < 1'050us);
  crowd.look(430, 4'096, now);
  CHECK(crowd.surplus() == 8);
  crowd.look(370, 4'096, now);
  CHECK(crowd.surplus() == 0);
}

TEST_CASE("Crowd: while others ask for something, nobody is let in for as long as the last ones took") {
  Crowd crowd({});
  SteadyTime now{1h};
  crowd.look(10, 4'096, now);
  CHECK(crowd.rest(now - 1h, now) == 0us);
  now += 700us;
  crowd.look(6, 4'096, now);
  CHECK(crowd.rest(now, now) == 700us);
  now += 700us + 300us;  // the rest, and then the next ones
  CHECK(crowd.rest(now - 5ms, now) == 300us);
  now += 300us + 50ms;  // the loop was held up
  CHECK(crowd.rest(now, now) == 2ms);
  now += 3ms;
  CHECK(crowd.rest(now - 25ms, now) == 0us);  // nobody has asked lately
  crowd.look(0, 4'096, now);
  CHECK(crowd.rest(now, now) == 0us);  // nobody waits
}

TEST_CASE("Crowd: one time that all stood still does not look like slow work") {
  Crowd crowd({.wait_max = 400ms, .each_at_first = 100us});
  SteadyTime now{1h};
  for (int i = 0; i < 100; ++i) {
    crowd.look(500, 4'096, now);
    for (int k = 0; k < 4; ++k) CHECK_FALSE(crowd.next(now));
    now += i == 50 ? 500ms : 400us;
  }
  CHECK(crowd.each() < 200us);
}

TEST_CASE(
    "Crowd: however many there are and however long one takes, some are let in, and nobody is sent away for ever") {
  Crowd crowd({.wait_max = 100ms, .each_at_first = 10s});
  const SteadyTime now{1h};
  crowd.look(30, 4'096, now);
  CHECK(crowd.surplus() == 0);
  for (int i = 0; i < 500; ++i) {
    crowd.look(4'000, 4'096, now);
    for (int k = 0; k < 8; ++k) CHECK(crowd.next(now).value() <= 10s);
    CHECK_FALSE(crowd.next(now));
  }
}

namespace {

/// More than are accepted in one go come to a gateway that expects each to take for ever.
struct CrowdedDoor {
  static GatewayOptions options() {
    GatewayOptions wanted;
    wanted.accept_wait_max = 0ms;
    return wanted;
  }
  Door door{options(), std::nullopt, 1'000};
  std::vector<std::unique_ptr<RawClient>> clients;

  void come(std::size_t count, std::string_view first) {
    while (count-- > 0) {
      clients.push_back(door.connect());
      clients.back()->send(first);
    }
  }
};

std::string hello_bytes() {
  std::string bytes;
  append_frame(bytes, hello_frame());
  return bytes;
}

}  // namespace

TEST_CASE("Gateway: of a crowd those who would wait too long are told RETRY and when; all others are served") {
  CrowdedDoor crowded;
  crowded.come(200, hello_bytes());
  std::size_t refused = 0, served = 0;
  crowded.door.pump([&] {
    refused = served = 0;
    for (auto& client : crowded.clients)
      for (const auto& frame : client->frames()) {
        served += frame.has_hello();
        refused += frame.error().code() == v1::RETRY && frame.error().retry_after_ms() > 0;
      }
    return refused + served == 200;
  });
  CHECK(refused > 0);
  CHECK(served >= 32);
  CHECK(crowded.door.figures().refused_busy == refused);
  CHECK(crowded.door.figures().connections == served);
}

TEST_CASE("Gateway: of a crowd who has hung up costs nothing") {
  CrowdedDoor crowded;
  crowded.come(200, hello_bytes());
  for (auto& client : crowded.clients) client->close();
  crowded.door.pump([&] { return crowded.door.figures().refused_gone > 0 && crowded.door.figures().connections == 0; });
  CHECK(crowded.door.figures().refused_busy == 0);
}

TEST_CASE("Gateway: who comes by HTTP and is too many is told so by HTTP") {
  CrowdedDoor crowded;
  crowded.come(200, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto refused = [&] {
    return std::ranges::count_if(crowded.clients, [](auto& client) {
      client->receive();
      return client->received.starts_with("HTTP/1.1 503") &&
             client->received.find("Retry-After: ") != std::string::npos;
    });
  };
  crowded.door.pump([&] { return refused() > 0; });
  CHECK(crowded.door.figures().refused_busy > 0);
}
