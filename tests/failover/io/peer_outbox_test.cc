#include "failover/io/peer_outbox.h"

#include <catch2/catch.hpp>
#include <vector>

#include "proto/frame.h"

namespace holdfast::failover {
namespace {

std::string payload(char with, std::size_t bytes) { return std::string(bytes, with); }

/// The first letters of the frames, as they leave in writes of at most `at_most` bytes.
std::string drain(PeerOutbox& outbox, std::size_t at_most, std::uint64_t* frames = nullptr) {
  std::string all;
  for (;;) {
    const auto chunk = outbox.next();
    if (chunk.empty()) break;
    const auto some = chunk.substr(0, at_most);
    all.append(some);
    const auto took = outbox.took(some.size());
    if (frames) *frames += took.frames;
  }
  FrameDecoder decoder(1 << 20);
  std::string letters;
  std::string_view input(all);
  for (;;) {
    const auto next = decoder.next(input);
    REQUIRE(next);
    if (!*next) break;
    letters.push_back((**next)[0]);
  }
  return letters;
}

TEST_CASE("PeerOutbox: the executor is told once a turn, and what came together leaves together") {
  PeerOutbox outbox(1'000, 100);
  REQUIRE_FALSE(outbox.put(payload('a', 10), false).accepted);
  outbox.open();
  REQUIRE(outbox.put(payload('a', 10), false).tell);
  REQUIRE_FALSE(outbox.put(payload('b', 10), false).tell);
  REQUIRE_FALSE(outbox.turn());
  REQUIRE(outbox.next().size() == 28);
  REQUIRE(outbox.queued_bytes() == 28);
  REQUIRE(outbox.put(payload('c', 10), false).tell);
  REQUIRE(drain(outbox, 5) == "abc");
  REQUIRE(outbox.queued_bytes() == 0);
}

TEST_CASE("PeerOutbox: urgent frames go between chunks, never into a frame, and order holds within each kind") {
  PeerOutbox outbox(10'000'000, 1 << 20);
  outbox.open();
  for (const char letter : {'a', 'b', 'c', 'd'}) REQUIRE(outbox.put(payload(letter, 100'000), false).accepted);
  const auto first = outbox.next();
  REQUIRE(first.size() > 100'000);
  REQUIRE(first.size() < 300'000);
  const std::string begun(first.substr(0, 7));
  outbox.took(begun.size());  // in the middle of a frame
  for (const char letter : {'1', '2'}) REQUIRE(outbox.put(payload(letter, 10), true).accepted);
  std::string rest(outbox.next());
  outbox.took(rest.size());
  REQUIRE(begun.size() + rest.size() == 2 * 100'004);
  REQUIRE(outbox.put(payload('e', 10), false).accepted);
  std::uint64_t frames = 0;
  REQUIRE(drain(outbox, 1'000, &frames) == "12cde");
  REQUIRE(frames == 5);
  REQUIRE(outbox.close() == 0);
}

TEST_CASE("PeerOutbox: beyond its bound it takes nothing more until it is opened again, and says so once") {
  PeerOutbox outbox(100, 90);
  outbox.open();
  REQUIRE(outbox.put(payload('a', 90), false).accepted);
  REQUIRE_FALSE(outbox.turn());
  const auto over = outbox.put(payload('b', 10), true);
  REQUIRE_FALSE(over.accepted);
  REQUIRE(over.tell);
  const auto after = outbox.put(payload('c', 1), false);
  REQUIRE_FALSE(after.accepted);
  REQUIRE_FALSE(after.tell);
  REQUIRE(outbox.turn());
  REQUIRE(outbox.next().size() == 94);
  REQUIRE(outbox.close() == 1);
  outbox.open();
  REQUIRE(outbox.next().empty());
  REQUIRE(outbox.put(payload('d', 1), false).accepted);
  REQUIRE(drain(outbox, 100) == "d");
}

TEST_CASE("PeerOutbox: what one link was given never leaves on the next: no frame arrives twice") {
  for (std::size_t written = 0; written <= 4 * 14; ++written) {  // the link is lost after so many bytes
    INFO(written << " bytes were written");
    PeerOutbox outbox(10'000, 100);
    outbox.open();
    for (const char letter : {'a', 'b', 'c'}) REQUIRE(outbox.put(payload(letter, 10), false).accepted);
    REQUIRE(outbox.put(payload('1', 10), true).accepted);
    for (std::size_t left = written; left > 0;) {
      const std::size_t some = std::min(left, outbox.next().size());
      outbox.took(some);
      left -= some;
    }
    REQUIRE_FALSE(outbox.turn());
    REQUIRE(outbox.close() == (written < 14 ? 4 : written < 56 ? 3 : 0));  // chunks count as a whole
    REQUIRE_FALSE(outbox.put(payload('d', 10), false).accepted);
    outbox.open();
    REQUIRE(outbox.queued_bytes() == 0);
    REQUIRE(outbox.put(payload('e', 10), false).accepted);
    REQUIRE(drain(outbox, 100) == "e");
  }
}

}  // namespace
}  // namespace holdfast::failover
