/// Standard input as lines: typed on a terminal, or read from a pipe or file.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "tools/holdfast-chat/screen.h"
#include "tools/holdfast-chat/wake.h"

namespace holdfast::chat {

/// Owned by main; on the one thread. A pipe is read only when a line is wanted, so whoever writes it is slowed to our
/// pace; a terminal is read all the time.
class Input {
 public:
  Input(any_io_executor executor, Screen& screen);

  /// On a terminal: reads keys until the end. A task of main's group.
  Awaitable<void> read_keys();
  /// The next line without its end; nothing at the end of input. One caller at a time.
  Awaitable<std::optional<std::string>> next_line();
  /// Ends the input, as if the user had: next_line() returns nothing from now on.
  void end();

  /// The user is typing.
  std::function<void()> on_typing = [] {};

 private:
  Awaitable<void> read_more();

  Screen& screen_;
  boost::asio::posix::stream_descriptor source_;
  bool waitable_ = true;  ///< epoll takes it: not a regular file
  std::deque<std::string> lines_;
  std::string partial_;
  bool ended_ = false;
  Wake wake_;
};

}  // namespace holdfast::chat
