#include "failover/io/peer_frames.h"

namespace holdfast::failover {

Result<std::unique_ptr<peer::Frame>> PeerFrames::next(std::string_view& input) {
  for (;;) {
    if (failed_) return Error{Errc::invalid_argument, "no frames can be told apart after garbage"};
    const auto payload = decoder_.next(input);
    if (!payload) return payload.error();
    if (!*payload) return std::unique_ptr<peer::Frame>();
    auto frame = std::make_unique<peer::Frame>();
    if (!frame->ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size()))) {
      failed_ = true;
      return Error{Errc::invalid_argument,
                   "a frame of " + std::to_string((*payload)->size()) + " bytes that is no message"};
    }
    if (frame->what_case() != peer::Frame::WHAT_NOT_SET) return frame;
  }
}

bool is_urgent(const peer::Frame& frame) {
  switch (frame.what_case()) {
    case peer::Frame::kBeat:
    case peer::Frame::kBeatAck:
    case peer::Frame::kSeen:
    case peer::Frame::kHandoff: return true;
    default: return false;
  }
}

}  // namespace holdfast::failover
