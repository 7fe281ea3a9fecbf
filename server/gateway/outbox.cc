#include "server/gateway/outbox.h"

#include "base/check.h"
#include "proto/frame.h"

namespace holdfast::gateway {
namespace {

constexpr std::size_t kKeptBytes = 4 << 10;     ///< capacity that stays while a connection is busy
constexpr std::size_t kCompactFrom = 64 << 10;  ///< sent bytes in front that are worth moving the rest for
constexpr std::size_t kMarksSettled = 32;       ///< settled marks in front that are worth moving the rest for
constexpr std::uint64_t kMarkEvery = 8 << 10;   ///< deliveries closer together share a mark

std::size_t length_at(std::string_view bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

}  // namespace

void Outbox::add(const v1::ServerFrame& frame) {
  append_frame(bytes_, frame);
  ++frames_;
}

void Outbox::add(std::string_view frame, bool credited) {
  append_frame(bytes_, frame);
  ++frames_;
  if (!credited) return;
  const std::uint64_t end = sent_before_ + bytes_.size();
  if (marks_.size() > first_mark_ && marks_.back().bytes < kMarkEvery) {
    marks_.back() = {end, marks_.back().bytes + frame.size()};
  } else {
    marks_.push_back({end, frame.size()});
  }
}

std::string_view Outbox::front() const {
  HF_CHECK(!empty(), "there is a frame");
  return bytes().substr(kFrameHeaderBytes, length_at(bytes()));
}

void Outbox::took_front() { took(kFrameHeaderBytes + length_at(bytes())); }

void Outbox::took(std::size_t count) {
  HF_CHECK(count <= size(), "no more is taken than there is");
  taken_ += count;
  settle_marks();
  if (!empty() && taken_ < kCompactFrom) return;
  sent_before_ += taken_;
  if (empty() && bytes_.capacity() > kKeptBytes) {
    bytes_ = std::string();
  } else {
    bytes_.erase(0, taken_);
  }
  taken_ = 0;
}

void Outbox::settle_marks() {
  const std::uint64_t sent = sent_before_ + taken_;
  while (first_mark_ < marks_.size() && marks_[first_mark_].end <= sent) credit_ += marks_[first_mark_++].bytes;
  if (first_mark_ < marks_.size() && first_mark_ < kMarksSettled) return;
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(first_mark_));
  first_mark_ = 0;
}

std::uint64_t Outbox::take_credit() { return std::exchange(credit_, 0); }

void Outbox::release_memory() {
  if (!empty()) return;
  sent_before_ += taken_;
  taken_ = 0;
  bytes_ = std::string();
  marks_ = {};
  first_mark_ = 0;
}

}  // namespace holdfast::gateway
