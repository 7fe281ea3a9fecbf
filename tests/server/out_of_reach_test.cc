#include <catch2/catch.hpp>

#include "server/out_of_reach.h"

using namespace holdfast;
using namespace std::chrono_literals;

namespace {

failover::PeerLinksFigures links(bool up, std::uint64_t frames_in) {
  failover::PeerLinksFigures figures;
  failover::PeerFigures peer{.node = NodeId(2)};
  peer.up = up;
  peer.frames_in = frames_in;
  figures.peers.push_back(peer);
  return figures;
}

SteadyTime at(std::chrono::seconds later) {
  return SteadyTime{} + std::chrono::duration_cast<SteadyTime::duration>(1h + later);
}

}  // namespace

TEST_CASE("Out of reach: who reaches others, and is dialled by none of them within three seconds") {
  OutOfReach reach;
  reach.look(links(true, 0), at(0s));
  CHECK_FALSE(reach.is());
  reach.look(links(true, 0), at(2s));
  CHECK_FALSE(reach.is());
  reach.look(links(true, 0), at(3s));
  CHECK(reach.is());
  reach.look(links(true, 1), at(4s));
  CHECK_FALSE(reach.is());
  INFO("who was heard once is not out of reach again by this");
  reach.look(links(true, 1), at(60s));
  CHECK_FALSE(reach.is());
}

TEST_CASE("Out of reach: not who is alone, and not who reaches nobody either") {
  OutOfReach reach;
  reach.look({}, at(0s));
  reach.look({}, at(10s));
  CHECK_FALSE(reach.is());
  reach.look(links(false, 0), at(20s));
  reach.look(links(false, 0), at(30s));
  CHECK_FALSE(reach.is());
  reach.look(links(true, 0), at(31s));
  CHECK_FALSE(reach.is());  // counted from here
}
