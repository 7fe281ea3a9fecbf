/// Stream's waiting for the first bytes.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/error.hpp>

#include "net/stream.h"

namespace holdfast {

namespace {

Error ended_early(const std::string& why) { return {Errc::io, "the connection ended before its first bytes: " + why}; }

/// How many bytes must lie in the socket's buffer before it counts as readable.
void set_low_water(int descriptor, std::size_t bytes) {
  const int value = static_cast<int>(bytes);
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

bool has_hung_up(int descriptor) {
  pollfd polled{descriptor, POLLRDHUP, 0};
  return ::poll(&polled, 1, 0) > 0;  // besides POLLRDHUP this can only be an error or a full close
}

}  // namespace

Awaitable<Result<FirstBytes>> Stream::detect_protocol(std::uint32_t frame_bytes_max) {
  return tls_ ? detect_tls(frame_bytes_max) : detect_plain(frame_bytes_max);
}

Awaitable<Result<FirstBytes>> Stream::detect_plain(std::uint32_t frame_bytes_max) {
  std::array<char, kFirstBytesMax> first;
  while (is_open()) {
    // Asked first: what is peeked after the peer has hung up is all there will ever be.
    const bool hung_up = has_hung_up(native_handle());
    const auto peeked = plain_result(::recv(native_handle(), first.data(), first.size(), MSG_PEEK), true);
    if (!peeked.ok() && !peeked.would_block()) co_return ended_early(peeked.error.message());
    const auto kind = detect({first.data(), peeked.bytes}, frame_bytes_max);
    // Peeked bytes stay readable, so waiting for more than those keeps this from spinning. An end also wakes.
    set_low_water(native_handle(), kind == FirstBytes::need_more ? peeked.bytes + 1 : 1);
    if (kind != FirstBytes::need_more) co_return kind;
    if (hung_up) break;
    const auto error = co_await wait_readable();
    if (error) co_return ended_early(error.message());
  }
  co_return ended_early("end of file");
}

Awaitable<Result<FirstBytes>> Stream::detect_tls(std::uint32_t frame_bytes_max) {
  // Records of one byte each can't be peeked beyond the first, so the bytes are taken, and given back by read_now.
  std::string first;
  while (detect(first, frame_bytes_max) == FirstBytes::need_more) {
    std::array<char, kFirstBytesMax> more;
    const std::span<char> room(more.data(), kFirstBytesMax - first.size());
    const auto read = co_await read_some(room);
    if (read.error) co_return ended_early(read.error.message());
    first.append(more.data(), read.bytes);
  }
  const auto kind = detect(first, frame_bytes_max);
  unread_ = std::move(first);
  co_return kind;
}

}  // namespace holdfast
