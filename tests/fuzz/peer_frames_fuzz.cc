// links: proto
// sources: failover/io/peer_frames.cc failover/io/peer_hello.cc
// What another node sends: frames are the same however the bytes are cut, a Hello is judged without harm, whoever passes
// is another node of the cluster, and what is logged of it fits a line.
//
//     input = cut *byte        ; cut: after how many bytes the stream is cut, again and again (0: not at all)
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "failover/io/peer_frames.h"
#include "failover/io/peer_hello.h"

namespace holdfast::failover {
namespace {

constexpr std::uint32_t kBytesMax = 1'000;  // so that a short input reaches it
constexpr WallTime kNow = WallTime(std::chrono::milliseconds(1'000'000'000));

struct Read {
  std::vector<std::string> frames;
  bool failed = false;
};

peer::Hello own_hello() {
  peer::Hello hello;
  hello.set_protocol(kPeerProtocol);
  hello.set_cluster("c");
  hello.set_node(1);
  hello.set_store_id(std::string(16, 's'));
  hello.set_boot_id(std::string(16, 'b'));
  hello.set_partitions(64);
  return hello;
}

void judge(const peer::Hello& theirs) {
  const auto own = own_hello();
  const auto why = why_refused(own, theirs, kNow);
  if (!why) {
    HF_CHECK(theirs.node() != 0 && theirs.node() != 1 && theirs.cluster() == "c" && theirs.partitions() == 64,
             "only another node of the cluster passes");
    HF_CHECK(std::abs(theirs.time_ms() - to_ms(kNow)) <= kClockOffMax.count(), "its clock is ours");
    HF_CHECK(why_refused(own, theirs, kNow, NodeId(theirs.node() + 1)), "and only where it is expected");
    return;
  }
  const auto line = for_log(*why);
  HF_CHECK(!line.empty() && line.size() <= 400, "a reason is a line");
  HF_CHECK(line.find_first_of("\"\n\r") == std::string::npos, "and nothing but a line");
}

Read read(std::string_view stream, std::size_t cut) {
  PeerFrames frames(kBytesMax);
  Read read;
  while (!stream.empty() && !read.failed) {
    std::string_view piece = stream.substr(0, cut);
    stream.remove_prefix(piece.size());
    for (;;) {
      const auto frame = frames.next(piece);
      read.failed = !frame;
      if (!frame || !*frame) break;
      HF_CHECK((*frame)->what_case() != peer::Frame::WHAT_NOT_SET, "a frame has content");
      if ((*frame)->has_hello()) judge((*frame)->hello());
      static_cast<void>(is_urgent(**frame));
      read.frames.push_back((*frame)->SerializeAsString());
    }
  }
  if (read.failed) {
    std::string_view more = "more";
    HF_CHECK(!frames.next(more), "garbage stays garbage");
  }
  return read;
}

}  // namespace
}  // namespace holdfast::failover

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = holdfast::failover::read(stream, stream.size());
  const auto pieces = holdfast::failover::read(stream, std::max<std::size_t>(data[0], 1));
  HF_CHECK(whole.frames == pieces.frames && whole.failed == pieces.failed, "cuts make no difference");
  return 0;
}
