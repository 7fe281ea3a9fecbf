/// The frame codec of the native protocol: what stands between a byte stream and serialized messages.
///
///     stream = *frame
///     frame  = length payload
///     length = 4 bytes, big-endian, 1 to frame_bytes_max
///     payload = `length` bytes, one serialized message
///
/// No I/O. A WebSocket message is a payload without its length and doesn't pass here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace google::protobuf {
class MessageLite;
}

namespace holdfast {

inline constexpr std::size_t kFrameHeaderBytes = 4;
/// Default bound on a payload: a 64 KiB message body with everything around it, twice.
inline constexpr std::uint32_t kFrameBytesMax = 128 * 1024;

/// Appends `message` as one frame. An empty message has no frame (its length would be 0): that is a bug and CHECKs.
void append_frame(std::string& out, const google::protobuf::MessageLite& message);
/// Appends bytes that are already serialized as one frame. Not empty, below 2 GiB.
void append_frame(std::string& out, std::string_view payload);

/// Cuts a byte stream into payloads, however the bytes arrive.
///
/// Value; owned by one connection, used by its thread. A frame that lies whole in the bytes handed in is returned as a
/// view into them; only an unfinished rest is copied. Memory: at most twice frame_bytes_max, and never more than twice
/// what the peer really sent; none at all between frames.
class FrameDecoder {
 public:
  explicit FrameDecoder(std::uint32_t frame_bytes_max = kFrameBytesMax) : frame_bytes_max_(frame_bytes_max) {}

  /// Takes the next payload off the front of `input`, or nothing when `input` is used up. Call it until it returns
  /// nothing (or keep `input` and go on later). The view is good until the next call, and as long as the bytes that
  /// `input` looked at.
  ///
  /// Fails with too_large or invalid_argument (a zero length) as soon as the length is seen, before anything of the
  /// payload is kept. The stream can't be followed after that: every later call fails the same way.
  Result<std::optional<std::string_view>> next(std::string_view& input);

  /// Whether the stream stands between two frames: an end of file here is in order.
  bool between_frames() const { return handed_out_ || partial_.empty(); }
  /// Bytes kept (of an unfinished frame, or of the one handed out last).
  std::size_t buffered_bytes() const { return partial_.size(); }
  /// Bytes of memory that keeping them takes, for tests and metrics; up to 15 lie in the object itself.
  std::size_t heap_bytes() const { return partial_.capacity() > std::string().capacity() ? partial_.capacity() : 0; }

 private:
  Result<std::optional<std::string_view>> next_from_partial(std::string_view& input);
  Result<std::uint32_t> length_at(std::string_view header);
  void take(std::string_view& input, std::size_t upto);

  std::uint32_t frame_bytes_max_;
  std::string partial_;      ///< header and payload of the one unfinished frame, or of the one handed out
  bool handed_out_ = false;  ///< partial_ is what the last call returned; released by the next one
  std::optional<Error> failed_;
};

}  // namespace holdfast
