#include "tools/holdfast-chat/line_editor.h"

#include <algorithm>
#include <utility>

#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

namespace {
constexpr char control(char letter) { return static_cast<char>(letter - 'A' + 1); }
constexpr char kEscape = '\x1b';
constexpr char kDelete = '\x7f';
}  // namespace

std::size_t LineEditor::before(std::size_t at) const {
  while (at > 0 && (static_cast<unsigned char>(text_[--at]) & 0xC0) == 0x80) {
  }
  return at;
}

void LineEditor::move(int characters) {
  if (characters < 0) cursor_ = before(cursor_);
  if (characters > 0 && cursor_ < text_.size()) cursor_ += character_bytes(text_, cursor_);
}

void LineEditor::erase(std::size_t from, std::size_t to) {
  text_.erase(from, to - from);
  cursor_ = from;
}

void LineEditor::insert(char byte) {
  if (text_.size() >= kLineBytesMax) return;
  text_.insert(cursor_++, 1, byte);
}

void LineEditor::enter(Happened& happened) {
  if (!secret_ && !text_.empty() && (earlier_.empty() || earlier_.back() != text_)) earlier_.push_back(text_);
  if (earlier_.size() > kEarlierMax) earlier_.erase(earlier_.begin());
  recalled_ = earlier_.size();
  draft_.clear();
  happened.lines.push_back(std::move(text_));
  text_.clear();
  cursor_ = 0;
}

void LineEditor::recall(int step) {
  if (secret_) return;
  if ((step < 0 && recalled_ == 0) || (step > 0 && recalled_ >= earlier_.size())) return;
  if (recalled_ == earlier_.size()) draft_ = text_;
  recalled_ = static_cast<std::size_t>(static_cast<long>(recalled_) + step);
  text_ = recalled_ == earlier_.size() ? draft_ : earlier_[recalled_];
  cursor_ = text_.size();
}

void LineEditor::feed_control(char byte, Happened& happened) {
  switch (byte) {
    case '\r':
    case '\n': return enter(happened);
    case control('A'): cursor_ = 0; return;
    case control('E'): cursor_ = text_.size(); return;
    case control('B'): return move(-1);
    case control('F'): return move(1);
    case control('H'):
    case kDelete: return erase(before(cursor_), cursor_);
    case control('U'): return erase(0, cursor_);
    case control('K'): return erase(cursor_, text_.size());
    case control('L'): happened.clear = true; return;
    case control('P'): return recall(-1);
    case control('N'): return recall(1);
    case control('W'): {
      std::size_t from = cursor_;
      while (from > 0 && text_[from - 1] == ' ') --from;
      while (from > 0 && text_[from - 1] != ' ') --from;
      return erase(from, cursor_);
    }
    case control('C'): happened.interrupted = text_.empty(); return erase(0, text_.size());
    case control('D'):
      happened.ended = text_.empty();
      if (cursor_ < text_.size()) erase(cursor_, cursor_ + character_bytes(text_, cursor_));
      return;
    default: return;
  }
}

void LineEditor::feed_escape(char byte, Happened& happened) {
  escape_ += byte;
  // "ESC [ parameters letter" or "ESC O letter"; anything else after ESC is a key that we don't have.
  if (escape_.size() == 1 && (byte == '[' || byte == 'O')) return;
  const bool unfinished = escape_.size() > 1 && escape_[0] == '[' && byte >= 0x20 && byte < 0x40 && escape_.size() < 16;
  if (unfinished) return;
  const std::string key = std::exchange(escape_, {});
  if (key == "[A" || key == "OA") recall(-1);
  if (key == "[B" || key == "OB") recall(1);
  if (key == "[C" || key == "OC") move(1);
  if (key == "[D" || key == "OD") move(-1);
  if (key == "[H" || key == "OH" || key == "[1~") cursor_ = 0;
  if (key == "[F" || key == "OF" || key == "[4~") cursor_ = text_.size();
  if (key == "[3~" && cursor_ < text_.size()) {
    erase(cursor_, cursor_ + character_bytes(text_, cursor_));
    happened.typed = true;
  }
}

LineEditor::Happened LineEditor::feed(std::string_view bytes) {
  Happened happened;
  for (const char byte : bytes) {
    if (in_escape_) {
      feed_escape(byte, happened);
      in_escape_ = !escape_.empty();
    } else if (byte == kEscape) {
      in_escape_ = true;
    } else if (static_cast<unsigned char>(byte) < 0x20 || byte == kDelete) {
      feed_control(byte, happened);
      happened.typed = true;
    } else {
      insert(byte);
      happened.typed = true;
    }
  }
  return happened;
}

LineEditor::Drawn LineEditor::draw(std::string_view prompt, std::size_t columns) const {
  std::string shown = secret_ ? std::string(columns_of(text_), '*') : text_;
  std::size_t cursor = secret_ ? columns_of(std::string_view(text_).substr(0, cursor_)) : cursor_;
  const std::size_t used = columns_of(prompt);
  const std::size_t room = std::max<std::size_t>(columns > used + 1 ? columns - used - 1 : 1, 8);
  // The text scrolls under a fixed prompt: whole characters go off the left until the cursor is in view.
  while (cursor > 0 && columns_of(std::string_view(shown).substr(0, cursor)) > room) {
    const std::size_t bytes = character_bytes(shown, 0);
    shown.erase(0, bytes);
    cursor -= std::min(bytes, cursor);
  }
  std::size_t end = 0;
  while (end < shown.size() && columns_of(std::string_view(shown).substr(0, end)) < room)
    end += character_bytes(shown, end);
  return {std::string(prompt) + shown.substr(0, end), used + columns_of(std::string_view(shown).substr(0, cursor))};
}

}  // namespace holdfast::chat
