/// What conductor and worker say to each other: lines of text over a TCP connection, each proved to come from somebody
/// who has the operator key. The key itself never travels, and a worker takes orders from nobody without it.
///
///     conversation = greeting *line                       ; of each side
///     greeting     = nonce LF                             ; 32 hexadecimal digits, drawn for this connection
///     line         = mac SP text LF                       ; mac: 64 hexadecimal digits; text: JSON, without LF
///     mac          = keyed BLAKE2b-256 (of the receiver's nonce, the line's number, the text)
///
/// What is said is not secret, and not encrypted.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/asio.h"
#include "net/stream.h"
#include "net/task_group.h"

namespace holdfast::load {

/// Owned by one end, on its loop's thread; outlives the tasks that it spawns into the group it is given.
class Channel {
 public:
  Channel(tcp::socket socket, std::string_view operator_key, TaskGroup& tasks);

  /// First of all. Fails with io or permission_denied (that is nobody of ours).
  Awaitable<Status> greet();
  /// The next line's text. Fails with io (the other side is gone), permission_denied (another key) or too_large.
  Awaitable<Result<std::string>> read();
  /// Goes out as soon as it can, in order. What is waiting is what the other side has not read: some lines.
  void send(std::string text);
  /// Everything sent so far has gone out, or the connection is gone.
  Awaitable<void> drain();
  void close();

  static constexpr std::size_t kLineBytesMax = std::size_t{256} << 20;

 private:
  static Awaitable<void> write(Channel* channel);
  Awaitable<Result<std::string>> read_line();
  std::string mac(std::string_view receiver_nonce, std::uint64_t number, std::string_view text) const;

  TaskGroup& tasks_;
  std::unique_ptr<Stream> stream_;
  const std::string key_;
  const std::string our_nonce_;
  std::string their_nonce_;
  std::string input_;
  std::string output_;
  bool writing_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace holdfast::load
