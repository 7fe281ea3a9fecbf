#include "proto/frame.h"

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace holdfast {

namespace {

void append_length(std::string& out, std::size_t length) {
  HF_CHECK(length > 0, "an empty payload has no frame");
  HF_CHECK(length <= std::numeric_limits<std::int32_t>::max(), "beyond what Protobuf can serialize");
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(length >> shift & 0xff));
}

}  // namespace

void append_frame(std::string& out, const google::protobuf::MessageLite& message) {
  const std::size_t length = message.ByteSizeLong();
  append_length(out, length);
  const auto at = out.size();
  out.resize(at + length);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data() + at));
}

void append_frame(std::string& out, std::string_view payload) {
  append_length(out, payload.size());
  out.append(payload);
}

Result<std::optional<std::string_view>> FrameDecoder::next(std::string_view& input) {
  if (failed_) return *failed_;
  if (handed_out_) {
    std::string().swap(partial_);  // clear() would keep the memory while the connection idles
    handed_out_ = false;
  }
  if (!partial_.empty()) return next_from_partial(input);
  if (input.size() < kFrameHeaderBytes) {
    take(input, kFrameHeaderBytes);
    return std::optional<std::string_view>();
  }
  auto length = length_at(input);
  if (!length) return length.error();
  if (input.size() - kFrameHeaderBytes < *length) {
    take(input, kFrameHeaderBytes + *length);
    return std::optional<std::string_view>();
  }
  auto payload = input.substr(kFrameHeaderBytes, *length);
  input.remove_prefix(kFrameHeaderBytes + *length);
  return std::optional(payload);
}

Result<std::optional<std::string_view>> FrameDecoder::next_from_partial(std::string_view& input) {
  take(input, kFrameHeaderBytes);
  if (partial_.size() < kFrameHeaderBytes) return std::optional<std::string_view>();
  auto length = length_at(partial_);
  if (!length) return length.error();
  take(input, kFrameHeaderBytes + *length);
  if (partial_.size() < kFrameHeaderBytes + *length) return std::optional<std::string_view>();
  handed_out_ = true;
  return std::optional(std::string_view(partial_).substr(kFrameHeaderBytes));
}

Result<std::uint32_t> FrameDecoder::length_at(std::string_view header) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) length = length << 8 | static_cast<unsigned char>(header[i]);
  if (length >= 1 && length <= frame_bytes_max_) return length;
  std::string().swap(partial_);
  failed_ = length == 0 ? Error{Errc::invalid_argument, "a frame of length 0"}
                        : Error{Errc::too_large, "a frame of " + std::to_string(length) + " bytes; the bound is " +
                                                     std::to_string(frame_bytes_max_)};
  return *failed_;
}

/// Moves bytes from `input` until partial_ has `upto`, or all of them.
void FrameDecoder::take(std::string_view& input, std::size_t upto) {
  if (partial_.size() >= upto) return;
  const auto count = std::min(upto - partial_.size(), input.size());
  partial_.append(input.substr(0, count));
  input.remove_prefix(count);
}

}  // namespace holdfast
