#include "tools/holdfast-chat/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace holdfast::chat {

namespace {

/// A terminal is opened anew: Asio makes what it waits for non-blocking, and standard output is the same terminal.
int open_source(bool interactive) {
  if (interactive) {
    const int terminal = ::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (terminal >= 0) return terminal;
  }
  return ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
}

bool can_wait_for(int file) {
  struct stat kind{};
  if (::fstat(file, &kind) != 0) return false;
  return S_ISFIFO(kind.st_mode) || S_ISSOCK(kind.st_mode) || ::isatty(file) == 1;
}

}  // namespace

Input::Input(any_io_executor executor, Screen& screen) : screen_(screen), source_(executor), wake_(executor) {
  const int file = open_source(screen.interactive());
  waitable_ = can_wait_for(file);
  if (file < 0) {
    ended_ = true;
    return;
  }
  source_.assign(file);
}

void Input::end() {
  ended_ = true;
  error_code ignored;
  source_.cancel(ignored);
  wake_.notify();
}

Awaitable<void> Input::read_keys() {
  std::array<char, 4096> keys;
  while (!ended_) {
    error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    const std::size_t bytes = co_await source_.async_read_some(boost::asio::buffer(keys), token);
    if (error) break;
    auto happened = screen_.editor().feed({keys.data(), bytes});
    for (auto& line : happened.lines) lines_.push_back(std::move(line));
    if (happened.clear) screen_.clear();
    if (happened.ended || happened.interrupted) ended_ = true;
    screen_.redraw();
    if (happened.typed) on_typing();
    wake_.notify();
  }
  ended_ = true;
  wake_.notify();
}

Awaitable<void> Input::read_more() {
  std::array<char, 4096> bytes;
  ssize_t got = 0;
  if (waitable_) {
    error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    got = static_cast<ssize_t>(co_await source_.async_read_some(boost::asio::buffer(bytes), token));
    if (error) got = 0;
  } else {
    got = ::read(source_.native_handle(), bytes.data(), bytes.size());
  }
  if (got <= 0) {
    ended_ = true;
    if (!partial_.empty()) lines_.push_back(std::exchange(partial_, {}));
    co_return;
  }
  for (const char byte : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
    if (byte == '\n')
      lines_.push_back(std::exchange(partial_, {}));
    else
      partial_ += byte;
  }
}

Awaitable<std::optional<std::string>> Input::next_line() {
  while (lines_.empty()) {
    if (ended_) co_return std::nullopt;
    if (screen_.interactive())
      co_await wake_.wait();
    else
      co_await read_more();
  }
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  if (line.ends_with('\r')) line.pop_back();
  co_return line;
}

}  // namespace holdfast::chat
