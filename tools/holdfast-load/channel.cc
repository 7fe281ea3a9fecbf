#include "tools/holdfast-load/channel.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/hash.h"
#include "base/random.h"

namespace holdfast::load {
namespace {

constexpr std::size_t kNonceDigits = 32;
constexpr std::size_t kMacDigits = 64;

std::string draw_nonce() {
  SystemRandom random;
  std::array<std::uint8_t, kNonceDigits / 2> bytes;
  random.fill(bytes);
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string channel_key(std::string_view operator_key) {
  const Hash32 hash = blake2b_256({"holdfast-load channel ", operator_key});
  return std::string(as_bytes(hash));
}

}  // namespace

Channel::Channel(tcp::socket socket, std::string_view operator_key, TaskGroup& tasks)
    : tasks_(tasks),
      stream_(std::make_unique<Stream>(std::move(socket))),
      key_(channel_key(operator_key)),
      our_nonce_(draw_nonce()) {}

std::string Channel::mac(std::string_view receiver_nonce, std::uint64_t number, std::string_view text) const {
  const std::string counted = std::to_string(number) + " ";
  const Hash32 hash = mac_256(key_, {receiver_nonce, counted, text});
  return to_hex(as_bytes(hash));
}

Awaitable<Status> Channel::greet() {
  output_ += our_nonce_ + "\n";
  if (!std::exchange(writing_, true)) tasks_.spawn("channel", write(this));
  auto nonce = co_await read_line();
  if (!nonce) co_return nonce.error();
  if (nonce->size() != kNonceDigits || *nonce == our_nonce_)
    co_return Error{Errc::permission_denied, "the other side is no holdfast-load"};
  their_nonce_ = std::move(*nonce);
  co_return Ok{};
}

Awaitable<Result<std::string>> Channel::read_line() {
  std::size_t looked_at = 0;
  std::array<char, 64 * 1024> more;
  while (true) {
    if (const auto end = input_.find('\n', looked_at); end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      co_return line;
    }
    looked_at = input_.size();
    if (looked_at > kLineBytesMax) co_return Error{Errc::too_large, "the other side's line has no end"};
    const std::span<char> room(more);
    const auto got = co_await stream_->read_some(room);
    if (got.error) co_return Error{Errc::io, "the other side is gone: " + got.error.message()};
    input_.append(more.data(), got.bytes);
  }
}

Awaitable<Result<std::string>> Channel::read() {
  auto line = co_await read_line();
  if (!line) co_return line.error();
  const bool cut = line->size() > kMacDigits && (*line)[kMacDigits] == ' ';
  const std::string_view text = cut ? std::string_view(*line).substr(kMacDigits + 1) : std::string_view();
  if (!cut || !equal_secret(std::string_view(*line).substr(0, kMacDigits), mac(our_nonce_, received_++, text)))
    co_return Error{Errc::permission_denied,
                    "the other side does not have our operator key: give both the same file (--operator-key)"};
  co_return std::string(text);
}

void Channel::send(std::string text) {
  output_ += mac(their_nonce_, sent_++, text) + " " + text + "\n";
  if (!std::exchange(writing_, true)) tasks_.spawn("channel", write(this));
}

Awaitable<void> Channel::write(Channel* channel) {
  while (!channel->output_.empty()) {
    const std::string now = std::exchange(channel->output_, {});
    const error_code error = co_await channel->stream_->write_all(now);
    if (error) break;  // the reader sees the same end and says so
  }
  channel->writing_ = false;
}

Awaitable<void> Channel::drain() {
  boost::asio::steady_timer timer(stream_->executor());
  while (writing_) {
    timer.expires_after(std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

void Channel::close() { stream_->close(); }

}  // namespace holdfast::load
