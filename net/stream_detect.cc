/// Stream's waiting for the first bytes.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>

#include "net/stream.h"

namespace holdfast {

namespace asio = boost::asio;

namespace {

Error ended_early(const std::string& why) { return {Errc::io, "the connection ended before its first bytes: " + why}; }

}  // namespace

bool has_hung_up(int descriptor) {
  pollfd polled{descriptor, POLLRDHUP, 0};
  return ::poll(&polled, 1, 0) > 0;  // besides POLLRDHUP this can only be an error or a full close
}

/// How many bytes must lie in the socket's buffer before it counts as readable.
void Stream::set_low_water(std::size_t bytes) {
  if (bytes == 1 && !low_water_) return;
  low_water_ = bytes > 1;
  const int value = static_cast<int>(bytes);
  ::setsockopt(native_handle(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

Awaitable<Result<FirstBytes>> Stream::detect_protocol(std::uint32_t frame_bytes_max) {
  return tls_ ? detect_tls(frame_bytes_max) : detect_plain(frame_bytes_max);
}

FirstBytes Stream::protocol_by_now(std::uint32_t frame_bytes_max) {
  std::array<char, kFirstBytesMax> first;
  const auto peeked = plain_result(::recv(native_handle(), first.data(), first.size(), MSG_PEEK), true);
  return detect({first.data(), peeked.bytes}, frame_bytes_max);
}

Awaitable<Result<FirstBytes>> Stream::detect_plain(std::uint32_t frame_bytes_max) {
  std::array<char, kFirstBytesMax> first;
  for (bool hung_up = false; is_open();) {
    const auto peeked = plain_result(::recv(native_handle(), first.data(), first.size(), MSG_PEEK), true);
    if (!peeked.ok() && !peeked.would_block()) co_return ended_early(peeked.error.message());
    const auto kind = detect({first.data(), peeked.bytes}, frame_bytes_max);
    // Peeked bytes stay readable, so waiting for more than those keeps this from spinning. An end also wakes.
    set_low_water(kind == FirstBytes::need_more ? peeked.bytes + 1 : 1);
    if (kind != FirstBytes::need_more) co_return kind;
    if (hung_up) break;
    hung_up = has_hung_up();
    if (hung_up) continue;  // what is peeked now is all there will ever be
    const auto error = co_await wait_readable();
    if (error) co_return ended_early(error.message());
  }
  co_return ended_early("end of file");
}

Awaitable<error_code> Stream::wait_first_record() {
  constexpr std::size_t kHeader = 5, kRecordMax = 16'384 + 256;  // RFC 8446, 5.1 and 5.2
  while (is_open()) {
    const bool hung_up = has_hung_up();
    std::array<unsigned char, kHeader> header{};
    int there = 0;
    const auto peeked = ::recv(native_handle(), header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
    if (peeked < 0 && errno != EAGAIN && errno != EINTR) co_return error_code(errno, boost::system::system_category());
    if (::ioctl(native_handle(), FIONREAD, &there) != 0) co_return error_code(errno, boost::system::system_category());
    const std::size_t length = std::min<std::size_t>(header[3] << 8 | header[4], kRecordMax);
    const std::size_t wanted = peeked < static_cast<ssize_t>(kHeader) ? kHeader : kHeader + length;
    const bool whole = static_cast<std::size_t>(there) >= wanted && wanted > kHeader;
    set_low_water(whole || hung_up ? 1 : std::max<std::size_t>(wanted, there + 1));
    if (whole) co_return error_code();
    if (hung_up) co_return asio::error::eof;
    const auto error = co_await wait_readable();
    if (error) co_return error;
  }
  co_return asio::error::operation_aborted;
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
