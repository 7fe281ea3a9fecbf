#include "server/mail/encoding.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace holdfast::mail {
namespace {

/// The way back, written from RFC 2045 and not from our code.
std::string unquoted(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i + 1, 2) == "\r\n") {
      i += 2;
    } else {
      REQUIRE(i + 2 < text.size());
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    }
  }
  return out;
}

void check_lines(std::string_view text, std::size_t most) {
  REQUIRE(text.ends_with("\r\n"));
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    CHECK(line.size() <= most);
    CHECK(line.find_first_of("\r\n") == std::string_view::npos);
    CHECK_FALSE(line.ends_with(' '));
    CHECK_FALSE(line.starts_with('.'));
    for (const char c : line) REQUIRE((c == '\t' || (c >= ' ' && c <= '~')));
    text.remove_prefix(end + 2);
  }
}

}  // namespace

TEST_CASE("Encoding: quoted-printable is the RFC's") {
  CHECK(quoted_printable("Grüße = ok\n") == "Gr=C3=BC=C3=9Fe =3D ok\r\n");
  CHECK(quoted_printable("a \nb\t\r\n.\n") == "a=20\r\nb=09\r\n=2E\r\n");
  CHECK(quoted_printable("no end") == "no end\r\n");
  CHECK(quoted_printable("") == "");
  CHECK(quoted_printable("lone \r here") == "lone =0D here\r\n");
}

TEST_CASE("Encoding: whatever text comes back from quoted-printable, in short lines of ASCII") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SeededRandom random(seed);
    static const std::string pieces[] = {" ", ".", "=", "a", "ä", "€", "😀", "\n", "word", "\t", std::string(90, 'x')};
    std::string text;
    for (auto left = random.below(200); left > 0; --left) text += pieces[random.below(std::size(pieces))];
    text += '\n';
    const std::string quoted = quoted_printable(text);
    check_lines(quoted, 76);
    std::string back = unquoted(quoted);
    std::string expected;
    for (const char c : text) expected += c == '\n' ? "\r\n" : std::string(1, c);
    REQUIRE(back == expected);
  }
}

TEST_CASE("Encoding: base64 is RFC 4648's") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe") == "//4=");
}

TEST_CASE("Encoding: a plain subject stays readable, any other is encoded without splitting a character") {
  CHECK(unstructured("Your password was changed") == "Your password was changed");
  CHECK(unstructured("Neues Passwort für Anna") == "=?utf-8?B?TmV1ZXMgUGFzc3dvcnQgZsO8ciBBbm5h?=");
  CHECK(unstructured("=?utf-8?B?eA==?=").find("=?utf-8?B?PT91") == 0);  // else it would be shown decoded
  std::string euros;
  for (int i = 0; i < 40; ++i) euros += "€";
  const std::string words = unstructured("x" + euros);
  CHECK(words.find("?= =?") != std::string::npos);
  std::size_t begin = 0;
  while (begin < words.size()) {
    const auto end = std::min(words.find(' ', begin), words.size());
    CHECK(end - begin <= 75);
    begin = end + 1;
  }
  CHECK(words.substr(0, 10) == "=?utf-8?B?");
  CHECK(words.substr(10, 60) == base64("x" + euros.substr(0, 42)) + std::string());  // 43 bytes: a 44th would split one
}

TEST_CASE("Encoding: a line break in free text is a blank, never a line") {
  CHECK(one_line("  a\r\nBcc: b@x\t\x01 c\x7f ") == "a Bcc: b@x c");
  CHECK(unstructured("a\r\nBcc: b@x") == "a Bcc: b@x");
  CHECK(display_name("a\"\\\r\nb") == "\"a\\\"\\\\ b\"");
  CHECK(display_name("Zoë") == "=?utf-8?B?Wm/Dqw==?=");
}

TEST_CASE("Encoding: bytes that are no UTF-8 become U+FFFD, and nothing else changes") {
  const std::string bad = "\xef\xbf\xbd";
  CHECK(valid_utf8("aä€😀") == "aä€😀");
  CHECK(valid_utf8("a\x80z") == "a" + bad + "z");
  CHECK(valid_utf8("\xc3") == bad);
  CHECK(valid_utf8("\xc0\x8a") == bad + bad);            // an overlong line feed
  CHECK(valid_utf8("\xe0\x80\x8a") == bad + bad + bad);  // and a longer one
  CHECK(valid_utf8("\xed\xa0\x80") == bad + bad + bad);  // a surrogate
  CHECK(valid_utf8("\xf4\x90\x80\x80") == bad + bad + bad + bad);
}

TEST_CASE("Encoding: dates are RFC 5322's, in UTC") {
  CHECK(mail_date(from_ms(0)) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(mail_date(from_ms(951'782'400'999)) == "Tue, 29 Feb 2000 00:00:00 +0000");
  CHECK(mail_date(from_ms(1'796'082'951'123)) == "Mon, 30 Nov 2026 23:55:51 +0000");
}

TEST_CASE("Encoding: a header is folded at blanks, and its first line is never empty") {
  CHECK(header_line("Subject", "short") == "Subject: short\r\n");
  const std::string word(70, 'w');
  CHECK(header_line("Subject", word + " " + word) == "Subject: " + word + "\r\n " + word + "\r\n");
}

}  // namespace holdfast::mail
