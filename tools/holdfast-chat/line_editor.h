/// One line of input, edited by keys. Pure: bytes in, what happened out; the terminal is somebody else's.
///
/// Keys: arrows, Home, End, Delete, Backspace; ^A ^E (ends), ^B ^F (back, forth), ^U ^K (cut to the ends), ^W (a word),
/// up and down (earlier lines), ^C (drop the line), ^D (end, on an empty line), ^L (draw again).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::chat {

class LineEditor {
 public:
  struct Happened {
    std::vector<std::string> lines;  ///< finished by Enter, in order
    bool interrupted = false;        ///< ^C on an empty line
    bool ended = false;              ///< ^D on an empty line
    bool typed = false;              ///< the text changed
    bool clear = false;              ///< ^L
  };
  Happened feed(std::string_view bytes);

  /// Masked, and not kept among the earlier lines.
  void set_secret(bool secret) { secret_ = secret; }
  const std::string& text() const { return text_; }

  /// One row of at most `columns`: prompt, and as much of the text around the cursor as fits; the cursor's column.
  struct Drawn {
    std::string row;
    std::size_t cursor = 0;
  };
  Drawn draw(std::string_view prompt, std::size_t columns) const;

 private:
  void feed_escape(char byte, Happened& happened);
  void feed_control(char byte, Happened& happened);
  void insert(char byte);
  void enter(Happened& happened);
  void recall(int step);
  void move(int characters);
  void erase(std::size_t from, std::size_t to);
  std::size_t before(std::size_t at) const;

  static constexpr std::size_t kLineBytesMax = 64 * 1024;
  static constexpr std::size_t kEarlierMax = 200;

  std::string text_;
  std::size_t cursor_ = 0;  ///< a byte, at the beginning of a character
  bool in_escape_ = false;
  std::string escape_;  ///< what came of an unfinished escape sequence, behind ESC
  std::vector<std::string> earlier_;
  std::size_t recalled_ = 0;  ///< index into earlier_, its size: the line being written
  std::string draft_;         ///< the line being written while another is recalled
  bool secret_ = false;
};

}  // namespace holdfast::chat
