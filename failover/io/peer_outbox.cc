#include "failover/io/peer_outbox.h"

#include "base/check.h"
#include "proto/frame.h"

namespace holdfast::failover {

namespace {

constexpr std::size_t kChunkBytes = 128 * 1024;  ///< urgent frames wait no longer than for this, or one frame
constexpr std::size_t kKeptBytes = 1024 * 1024;  ///< of memory, for the next time

void empty(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptBytes) std::string().swap(buffer);
}

/// Of the frame at the front, header and all.
std::size_t frame_bytes(std::string_view frames) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) length = length << 8 | static_cast<unsigned char>(frames[i]);
  return kFrameHeaderBytes + length;
}

std::uint64_t count_frames(std::string_view frames) {
  std::uint64_t count = 0;
  for (; !frames.empty(); frames.remove_prefix(frame_bytes(frames))) ++count;
  return count;
}

}  // namespace

template <class Append>
PeerOutbox::Put PeerOutbox::put(std::size_t payload_bytes, bool urgent, const Append& append) {
  HF_CHECK(payload_bytes > 0 && payload_bytes <= frame_bytes_max_, "a frame has content, and a bound");
  const std::size_t bytes = payload_bytes + kFrameHeaderBytes;
  const std::lock_guard lock(mutex_);
  if (!open_ || overflowed_) return {};
  Put put{true, !told_};
  told_ = true;
  if (queued_bytes_.load(std::memory_order_relaxed) + bytes > bytes_max_) {
    overflowed_ = true;
    put.accepted = false;
    return put;
  }
  append(urgent ? urgent_ : ordinary_);
  queued_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  ++frames_put_;
  return put;
}

PeerOutbox::Put PeerOutbox::put(const peer::Frame& frame, bool urgent) {
  return put(frame.ByteSizeLong(), urgent, [&frame](std::string& to) { append_frame(to, frame); });
}

PeerOutbox::Put PeerOutbox::put(std::string_view serialized, bool urgent) {
  return put(serialized.size(), urgent, [serialized](std::string& to) { append_frame(to, serialized); });
}

void PeerOutbox::open() {
  const std::lock_guard lock(mutex_);
  HF_CHECK(!open_, "opened once a link");
  open_ = true;
  overflowed_ = false;
  frames_put_ = 0;
  frames_taken_ = 0;
}

std::uint64_t PeerOutbox::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  for (std::string* buffer : {&ordinary_, &urgent_, &writing_, &writing_urgent_}) empty(*buffer);
  written_ = 0;
  chunk_ = {};
  queued_bytes_.store(0, std::memory_order_relaxed);
  return frames_put_ - frames_taken_;
}

bool PeerOutbox::turn() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  return overflowed_;
}

std::string_view PeerOutbox::next() {
  if (chunk_.empty()) begin_chunk();
  return chunk_;
}

void PeerOutbox::begin_chunk() {
  const std::lock_guard lock(mutex_);
  chunk_is_urgent_ = !urgent_.empty();
  if (chunk_is_urgent_) {
    writing_urgent_.swap(urgent_);
    chunk_ = writing_urgent_;
    chunk_frames_ = count_frames(chunk_);
    return;
  }
  if (writing_.empty()) writing_.swap(ordinary_);
  cut_chunk();
}

void PeerOutbox::cut_chunk() {
  const auto rest = std::string_view(writing_).substr(written_);
  std::size_t bytes = 0;
  chunk_frames_ = 0;
  while (bytes < rest.size() && bytes < kChunkBytes) {
    bytes += frame_bytes(rest.substr(bytes));
    ++chunk_frames_;
  }
  chunk_ = rest.substr(0, bytes);
}

PeerOutbox::Took PeerOutbox::took(std::size_t bytes) {
  chunk_.remove_prefix(bytes);
  queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (!chunk_is_urgent_) written_ += bytes;
  if (!chunk_.empty()) return {};
  if (chunk_is_urgent_) empty(writing_urgent_);
  if (written_ == writing_.size()) {
    empty(writing_);
    written_ = 0;
  }
  frames_taken_ += chunk_frames_;
  return {chunk_frames_};
}

}  // namespace holdfast::failover
