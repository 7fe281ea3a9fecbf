/// Standard output: events as text for people, or as JSON for programs; and the row at the bottom where one types.
#pragma once

#include <termios.h>

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tools/holdfast-chat/line_editor.h"

namespace holdfast::chat {

/// Owned by main; on the one thread. Writing waits for whoever reads our output.
class Screen {
 public:
  /// `interactive`: standard input and output are a terminal; it is in raw mode until destruction.
  Screen(bool json, bool interactive);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  bool interactive() const { return interactive_; }
  bool json() const { return json_; }

  /// One event. `text` is what a person reads (nothing is printed if it is empty); `fields` what a program does.
  void event(std::string_view name, boost::json::object fields, const std::string& text);
  /// For people only.
  void note(const std::string& text);
  void ring();

  /// The row at the bottom. Without a terminal: nothing.
  void set_prompt(std::string prompt);
  LineEditor& editor() { return editor_; }
  void redraw();
  void clear();

  // Colours; plain where there is none.
  std::string dim(std::string_view text) const { return paint("2", text); }
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string bad(std::string_view text) const { return paint("31", text); }
  std::string good(std::string_view text) const { return paint("32", text); }
  /// The same name always in the same colour.
  std::string name(std::string_view text) const;

 private:
  std::string paint(std::string_view code, std::string_view text) const;
  void print_line(const std::string& text);

  const bool json_;
  const bool interactive_;
  const bool colour_;
  std::optional<termios> before_;  ///< how the terminal was
  LineEditor editor_;
  std::string prompt_;
  bool row_drawn_ = false;
};

}  // namespace holdfast::chat
