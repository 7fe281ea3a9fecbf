#include "tools/holdfast-chat/text.h"

#include <catch2/catch.hpp>
#include <clocale>

using namespace holdfast::chat;

TEST_CASE("Text: nothing that a peer sends reaches the terminal as a command") {
  CHECK(printable("\x1b[2Jhi\x07") == "\uFFFD[2Jhi\uFFFD");
  CHECK(printable("a\r\b\x7f") == "a\uFFFD\uFFFD\uFFFD");
  CHECK(printable("\u009b"
                  "31m") == "\uFFFD31m");      // C1: CSI in one character
  CHECK(printable("a\u202eb") == "a\uFFFDb");  // turns the direction around
  CHECK(printable("one\ntwo") == "one\n  two");
  CHECK(printable_line("one\ntwo", 80) == "one two");
  CHECK(printable("h\u00e9 \U0001F44B") == "h\u00e9 \U0001F44B");
}

TEST_CASE("Text: what is not UTF-8 is counted, not printed") {
  CHECK_FALSE(is_utf8("\xff"));
  CHECK_FALSE(is_utf8("\xc0\xaf"));          // an overlong slash
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));      // half a surrogate pair
  CHECK_FALSE(is_utf8("\xf4\x90\x80\x80"));  // beyond Unicode
  CHECK_FALSE(is_utf8("\xe2\x82"));          // cut short
  CHECK(is_utf8("\xe2\x82\xac"));
  CHECK(printable("\xff\xfe") == "(2 bytes)");
}

TEST_CASE("Text: a line is cut at its columns") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  CHECK(printable_line("abcdef", 3) == "abc…");
  CHECK(printable_line("abc", 3) == "abc");
  CHECK(columns_of("h\u00e9") == 2);
  CHECK(columns_of("\u6f22") == 2);
}

TEST_CASE("Text: words, and quotes that keep some together") {
  using Words = std::vector<std::string>;
  CHECK(split_words("/group \"the whole team\"  ada bo ") == Words{"/group", "the whole team", "ada", "bo"});
  CHECK(split_words("").empty());
  CHECK(split_words("a\"b c\"d") == Words{"ab cd"});
  CHECK(split_words("\"\"") == Words{""});
}

TEST_CASE("Text: a time of today is short, another has its date") {
  constexpr std::int64_t kNoon = 1'700'000'000'000;
  CHECK(clock_text(kNoon, kNoon).size() == 5);
  CHECK(clock_text(kNoon - 3 * 86'400'000LL, kNoon).size() == 16);
}
