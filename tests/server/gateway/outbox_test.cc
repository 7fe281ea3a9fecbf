#include "server/gateway/outbox.h"

#include <catch2/catch.hpp>

#include "proto/frame.h"

using namespace holdfast;
using holdfast::gateway::Outbox;

namespace {
constexpr std::size_t kHeader = kFrameHeaderBytes;
}

TEST_CASE("Outbox: frames come out one after the other, each with its length") {
  Outbox outbox;
  outbox.add("one", false);
  outbox.add("three", false);
  CHECK(outbox.bytes() == std::string("\0\0\0\3one\0\0\0\5three", 16));
  CHECK(outbox.front() == "one");
  outbox.took_front();
  CHECK(outbox.front() == "three");
  outbox.took_front();
  CHECK(outbox.empty());
  CHECK(outbox.take_frames() == 2);
}

TEST_CASE("Outbox: credit comes back when the last byte of a delivery was taken, not before") {
  Outbox outbox;
  outbox.add("answer", false);
  outbox.add("delivery", true);
  outbox.took(kHeader + 6 + kHeader + 7);
  CHECK(outbox.take_credit() == 0);
  outbox.took(1);
  CHECK(outbox.take_credit() == 8);
  CHECK(outbox.take_credit() == 0);
}

TEST_CASE("Outbox: every byte of credit comes back, however it is taken") {
  Outbox outbox;
  std::uint64_t given = 0, back = 0;
  std::size_t step = 1;
  for (int round = 0; round < 2'000; ++round) {
    const std::string frame(1 + (round * 37) % 5'000, 'x');
    outbox.add(frame, round % 3 != 0);
    if (round % 3 != 0) given += frame.size();
    outbox.took(std::min(outbox.size(), step = (step * 31) % 6'007));
    back += outbox.take_credit();
    CHECK(back <= given);
  }
  outbox.took(outbox.size());
  CHECK(back + outbox.take_credit() == given);
  CHECK(outbox.empty());
}

TEST_CASE("Outbox: what is left stays whole when what was sent goes") {
  Outbox outbox;
  outbox.add(std::string(100'000, 'a'), false);
  outbox.add("rest", true);
  outbox.took(kHeader + 100'000 + 2);
  CHECK(outbox.bytes() == std::string("\0\4rest", 6));
  outbox.took(outbox.size());
  CHECK(outbox.take_credit() == 4);
  outbox.release_memory();
  outbox.add("more", true);
  outbox.took_front();
  CHECK(outbox.take_credit() == 4);
}
