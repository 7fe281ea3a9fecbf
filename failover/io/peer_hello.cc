#include "failover/io/peer_hello.h"

#include <cstdlib>

namespace holdfast::failover {

namespace {

std::string who(const peer::Hello& hello) { return "node " + std::to_string(hello.node()); }

std::string differs(const char* what, const peer::Hello& own, const std::string& ours, const peer::Hello& theirs,
                    const std::string& other, const char* advice) {
  return std::string(what) + " differs: " + who(theirs) + " has " + other + ", " + who(own) + " has " + ours + "; " +
         advice;
}

std::optional<std::string> wrong_node(const peer::Hello& own, const peer::Hello& theirs,
                                      std::optional<NodeId> expected) {
  if (theirs.node() == 0) return "a node without an id; it has not joined the cluster";
  if (theirs.node() == own.node()) {
    return "node id " + std::to_string(own.node()) +
           " is in use: both ends claim it; a data directory was copied, or a peer address leads back to its own node";
  }
  if (expected && theirs.node() != expected->value) {
    return "node " + std::to_string(expected->value) + " was expected at this address, and node " +
           std::to_string(theirs.node()) + " answers; correct the peer addresses";
  }
  return std::nullopt;
}

bool has_ids(const peer::Hello& hello) {
  return StoreId::from_bytes(hello.store_id()).has_value() && StoreId::from_bytes(hello.boot_id()).has_value();
}

/// Without overflow, whatever `theirs` is.
bool is_far(std::int64_t ours, std::int64_t theirs, std::int64_t max) {
  return theirs < ours - max || theirs > ours + max;
}

}  // namespace

std::optional<std::string> why_refused(const peer::Hello& own, const peer::Hello& theirs, WallTime now,
                                       std::optional<NodeId> expected) {
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  if (theirs.protocol() != kPeerProtocol) {
    return differs("the peer protocol", own, number(kPeerProtocol) + " (version " + own.version() + ")", theirs,
                   number(theirs.protocol()) + " (version " + for_log(theirs.version()) + ")",
                   "run versions that go together");
  }
  if (theirs.cluster() != own.cluster()) {
    return differs("the cluster", own, own.cluster(), theirs, for_log(theirs.cluster()),
                   "one of them has the wrong configuration store or data directory");
  }
  if (auto wrong = wrong_node(own, theirs, expected)) return wrong;
  if (theirs.partitions() != own.partitions()) {
    return differs("the partition count", own, number(own.partitions()), theirs, number(theirs.partitions()),
                   "it is fixed for the life of a cluster: one has the wrong data directory");
  }
  if (!has_ids(theirs)) return who(theirs) + " says no store id or boot id; run versions that go together";
  if (is_far(to_ms(now), theirs.time_ms(), kClockOffMax.count())) {
    return differs("the clock", own, number(static_cast<std::uint64_t>(to_ms(now))) + " ms", theirs,
                   std::to_string(theirs.time_ms()) + " ms", "at most 10 s apart: set the clocks by NTP");
  }
  return std::nullopt;
}

Member member_of(const peer::Hello& hello) {
  return {NodeId(hello.node()), StoreId::from_bytes(hello.store_id()).value_or(StoreId{})};
}

std::string for_log(std::string_view text) {
  constexpr std::size_t kMax = 400;
  std::string printable;
  for (const char c : text.substr(0, kMax)) printable.push_back(c >= ' ' && c <= '~' && c != '"' ? c : '?');
  return printable;
}

}  // namespace holdfast::failover
