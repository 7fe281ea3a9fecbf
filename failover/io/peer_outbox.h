/// What waits to be sent to one peer.
///
/// Any thread puts frames in; the link's executor takes them out, in chunks of whole frames. Urgent frames go before all
/// others, but not into the middle of a chunk. Order holds within each of the two kinds.
/// Bound: bytes_max. What would go beyond it makes the outbox overflow: it takes nothing more, and the link is to close.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "proto/peer.pb.h"

namespace holdfast::failover {

class PeerOutbox {
 public:
  explicit PeerOutbox(std::size_t bytes_max, std::uint32_t frame_bytes_max)
      : bytes_max_(bytes_max), frame_bytes_max_(frame_bytes_max) {}

  struct Put {
    bool accepted = false;
    bool tell = false;  ///< the executor is to be told, once for all that come until turn()
  };
  /// Any thread; never waits for the network. A frame above frame_bytes_max is a bug and CHECKs.
  Put put(const peer::Frame& frame, bool urgent);
  Put put(std::string_view serialized, bool urgent);

  /// From here on: the executor's thread.
  void open();
  /// Throws away what is left; returns how many frames that were.
  std::uint64_t close();
  /// Who was told has come. True if it overflowed.
  bool turn();
  /// What to write next, the same until took() has taken all of it; empty if there is nothing.
  std::string_view next();
  struct Took {
    std::uint64_t frames = 0;  ///< that are complete with these bytes, counted at the end of their chunk
  };
  Took took(std::size_t bytes);

  std::size_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }

 private:
  template <class Append>
  Put put(std::size_t payload_bytes, bool urgent, const Append& append);
  void begin_chunk();
  void cut_chunk();

  const std::size_t bytes_max_;
  const std::uint32_t frame_bytes_max_;
  std::atomic<std::size_t> queued_bytes_{0};

  std::mutex mutex_;
  bool open_ = false;  ///< under mutex_, and so on
  bool told_ = false;  ///< the executor will come
  bool overflowed_ = false;
  std::string ordinary_;
  std::string urgent_;
  std::uint64_t frames_put_ = 0;  ///< since open()

  // The executor's thread.
  std::string writing_;         ///< ordinary frames
  std::size_t written_ = 0;     ///< of writing_: chunks before this are gone
  std::string writing_urgent_;  ///< a chunk as a whole
  bool chunk_is_urgent_ = false;
  std::string_view chunk_;  ///< what is left of the chunk
  std::uint64_t chunk_frames_ = 0;
  std::uint64_t frames_taken_ = 0;
};

}  // namespace holdfast::failover
