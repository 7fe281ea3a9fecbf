#include "tools/holdfast-chat/line_editor.h"

#include <catch2/catch.hpp>
#include <clocale>

using holdfast::chat::LineEditor;

namespace {
using Lines = std::vector<std::string>;
/// The lines that these keys enter.
Lines lines(LineEditor& editor, const std::string& keys) { return editor.feed(keys).lines; }
Lines lines(const std::string& keys) {
  LineEditor editor;
  return lines(editor, keys);
}
}  // namespace

TEST_CASE("LineEditor: keys edit the line") {
  CHECK(lines("abc\r") == Lines{"abc"});
  CHECK(lines("abx\x7f"
              "c\r") == Lines{"abc"});
  CHECK(lines("bc\x01"
              "a\x05"
              "d\r") == Lines{"abcd"});
  CHECK(lines("one two\x17three\r") == Lines{"one three"});
  CHECK(lines("gone\x15kept\r") == Lines{"kept"});
  CHECK(lines("ac\x1b[Db\r") == Lines{"abc"});
  CHECK(lines("axc\x1b[D\x1b[D\x1b[3~b\r") == Lines{"abc"});
  CHECK(lines("a\rb\r") == Lines{"a", "b"});
}

TEST_CASE("LineEditor: a character of several bytes goes as one") {
  CHECK(lines("hé\x7f"
              "i\r") == Lines{"hi"});
  CHECK(lines("👋x\x1b[D\x1b[D!\r") == Lines{"!👋x"});
}

TEST_CASE("LineEditor: an escape sequence may come in pieces, an unknown one does nothing") {
  LineEditor editor;
  editor.feed("ac\x1b");
  editor.feed("[");
  editor.feed("D");
  CHECK(lines(editor, "b\x1b[24~\r") == Lines{"abc"});
}

TEST_CASE("LineEditor: earlier lines come back, and the one being written is not lost") {
  LineEditor editor;
  editor.feed("one\rtwo\r");
  editor.feed("dra");
  editor.feed("\x1b[A");
  CHECK(editor.text() == "two");
  editor.feed("\x1b[A\x1b[A");
  CHECK(editor.text() == "one");
  editor.feed("\x1b[B\x1b[B");
  CHECK(editor.text() == "dra");
}

TEST_CASE("LineEditor: a secret is masked and not remembered") {
  LineEditor editor;
  editor.set_secret(true);
  editor.feed("päss");
  CHECK(editor.draw("? ", 80).row == "? ****");
  CHECK(lines(editor, "\r") == Lines{"päss"});
  editor.set_secret(false);
  editor.feed("\x1b[A");
  CHECK(editor.text().empty());
}

TEST_CASE("LineEditor: ^C drops a line and, on an empty one, asks to leave; ^D leaves on an empty one") {
  LineEditor editor;
  CHECK_FALSE(editor.feed("abc\x03").interrupted);
  CHECK(editor.text().empty());
  CHECK(editor.feed("\x03").interrupted);
  CHECK_FALSE(editor.feed("a\x04").ended);
  CHECK(editor.feed("\x7f\x04").ended);
}

TEST_CASE("LineEditor: a long line scrolls under its prompt, the cursor in view") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  LineEditor editor;
  editor.feed(std::string(100, 'a') + "z");
  const auto end = editor.draw("> ", 20);
  CHECK(end.row.size() < 20);
  CHECK(end.row.back() == 'z');
  CHECK(end.cursor == end.row.size());
  editor.feed("\x01");
  const auto begin = editor.draw("> ", 20);
  CHECK(begin.cursor == 2);
  CHECK(begin.row.size() < 20);
}
