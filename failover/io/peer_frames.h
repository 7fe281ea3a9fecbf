/// The bytes of a peer's connection as messages. Pure.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "proto/frame.h"
#include "proto/peer.pb.h"

namespace holdfast::failover {

/// The most one frame may have: a batch of entries, or a part of a snapshot.
inline constexpr std::uint32_t kPeerFrameBytesMax = 8 * 1024 * 1024;
/// The most a Hello, or a Refused, may have: what a stranger can make us keep.
inline constexpr std::uint32_t kPeerHelloBytesMax = 4 * 1024;

/// Value; owned by one connection. Memory: that of FrameDecoder, and what it returns.
class PeerFrames {
 public:
  explicit PeerFrames(std::uint32_t frame_bytes_max) : decoder_(frame_bytes_max) {}

  /// Takes the next frame off the front of `input`; null when it is used up. A frame whose content a later version
  /// brought is skipped. Fails with invalid_argument or too_large, and then always: the peer sends garbage.
  Result<std::unique_ptr<peer::Frame>> next(std::string_view& input);

 private:
  FrameDecoder decoder_;
  bool failed_ = false;
};

/// Beats and what is said about them: they overtake what waits to be sent.
bool is_urgent(const peer::Frame& frame);

}  // namespace holdfast::failover
