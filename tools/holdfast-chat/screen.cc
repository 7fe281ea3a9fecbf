#include "tools/holdfast-chat/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <utility>

#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

namespace {

void write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t moved = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return;  // nobody reads us any more
    bytes.remove_prefix(static_cast<std::size_t>(moved));
  }
}

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool wants_colour() {
  const char* no = std::getenv("NO_COLOR");  // no-color.org: any value but the empty one
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no == nullptr || *no == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

}  // namespace

Screen::Screen(bool json, bool interactive) : json_(json), interactive_(interactive), colour_(!json && wants_colour()) {
  if (!interactive_) return;
  termios now{};
  if (::tcgetattr(STDIN_FILENO, &now) != 0) return;
  before_ = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
  now.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

Screen::~Screen() {
  if (row_drawn_) write_out("\r\x1b[K");
  if (before_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

std::string Screen::paint(std::string_view code, std::string_view text) const {
  if (!colour_ || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string Screen::name(std::string_view text) const {
  constexpr std::array<const char*, 6> kColours{"1;31", "1;32", "1;33", "1;34", "1;35", "1;36"};
  return paint(kColours[std::hash<std::string_view>{}(text) % kColours.size()], text);
}

void Screen::print_line(const std::string& text) {
  if (row_drawn_) write_out("\r\x1b[K");
  row_drawn_ = false;
  write_out(text + "\n");
  redraw();
}

void Screen::event(std::string_view name, boost::json::object fields, const std::string& text) {
  if (!json_) {
    if (!text.empty()) print_line(text);
    return;
  }
  boost::json::object whole;
  whole["event"] = name;
  for (auto& [key, value] : fields) whole[key] = std::move(value);
  print_line(boost::json::serialize(whole));
}

void Screen::note(const std::string& text) {
  if (!json_) print_line(text);
}

void Screen::ring() {
  if (interactive_ && !json_) write_out("\a");
}

void Screen::set_prompt(std::string prompt) {
  if (prompt == prompt_ && row_drawn_) return;
  prompt_ = std::move(prompt);
  if (prompt_.empty() && std::exchange(row_drawn_, false)) write_out("\r\x1b[K");
  redraw();
}

void Screen::redraw() {
  if (!interactive_ || prompt_.empty()) return;
  const auto drawn = editor_.draw(prompt_, terminal_columns());
  const std::string back = drawn.cursor > 0 ? "\x1b[" + std::to_string(drawn.cursor) + "C" : "";
  write_out("\r\x1b[K" + drawn.row + "\r" + back);
  row_drawn_ = true;
}

void Screen::clear() {
  if (!interactive_) return;
  write_out("\x1b[2J\x1b[H");
  redraw();
}

}  // namespace holdfast::chat
