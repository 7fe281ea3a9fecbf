#include <catch2/catch.hpp>

#include "server/lmtp/charset.h"
#include "server/lmtp/content_type.h"
#include "server/lmtp/encoded_words.h"
#include "server/lmtp/flowed_text.h"
#include "server/lmtp/header_fields.h"
#include "server/lmtp/transfer_encoding.h"
#include "tests/server/lmtp/mail_text.h"

namespace holdfast::lmtp {
namespace {

std::string utf8_of(std::string_view bytes, std::string_view charset) {
  auto text = to_utf8(bytes, charset);
  REQUIRE(text);
  return *text;
}

HeaderFields header_of(std::string_view text) {
  const auto split = split_header(crlf(text), {});
  REQUIRE(split);
  return split.value().header;
}

}  // namespace

TEST_CASE("Header: folded lines are joined, names are alike in either case, the first one counts") {
  const std::string message = crlf(
      "From ada Sat Jan  3 01:05:34 1996\n"  // as mbox files begin; no field
      "Subject: one\n two\n\tthree\n"
      "X-Thing : spaced\n"
      "no field at all\n"
      "  so this is none either\n"
      "SUBJECT: another\n"
      "Empty:\n"
      "\n"
      "Body: not a field\n");
  const auto split = split_header(message, {});
  REQUIRE(split);
  const auto& header = split.value().header;
  CHECK(header.first("subject") == "one two three");
  CHECK(header.count("subject") == 2);
  CHECK(header.first("x-thing") == "spaced");
  CHECK(header.has("empty"));
  CHECK_FALSE(header.has("body"));
  CHECK(header.all().size() == 4);
  CHECK(split.value().body == "Body: not a field\r\n");
}

TEST_CASE("Header: a bound that is hit is named, and what just fits is taken") {
  const HeaderBounds bounds{.header_bytes_max = 20, .fields_max = 2};
  CHECK(split_header("A: 1\r\nB: 2\r\n\r\nbody", bounds));
  const auto fields = split_header("A: 1\nB: 2\nC: 3\n\n", bounds);
  REQUIRE_FALSE(fields);
  CHECK(fields.error().message == "a header has more than 2 fields");
  CHECK(split_header("A: 4567890123456789\n\nbody", bounds));
  const auto bytes = split_header("A: 45678901234567890\n\nbody", bounds);
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().code == Errc::too_large);
  CHECK(bytes.error().message == "a header has more than 20 bytes");
}

TEST_CASE("Content type: parameters are read past quotes, comments, pieces and mistakes") {
  const auto type = parse_content_type(
      "Text/PLAIN (a (nested) comment); charset=\"utf-8\" (another);; broken; format = flowed ; x=\"a\\\"b;c\"");
  CHECK(type.value == "text/plain");
  CHECK(type.parameter("charset") == "utf-8");
  CHECK(type.parameter("format") == "flowed");
  CHECK(type.parameter("x") == "a\"b;c");
  CHECK(type.parameter("y").empty());
  CHECK(parse_content_type("multipart/mixed; boundary*1=\"cd\"; boundary*0=ab").parameter("boundary") == "abcd");
  CHECK(parse_content_type("").value == "text/plain");
  CHECK(parse_content_type("text").value == "text/plain");
  CHECK(parse_content_type("nonsense/").value == "text/plain");
}

TEST_CASE("Transfer encoding: base64 passes over what is no digit and stops at the padding") {
  CHECK(decode_base64("SG9s\r\nZGZh c3Q=") == "Holdfast");
  CHECK(decode_base64("SG9sZGZhc3Q") == "Holdfast");
  CHECK(decode_base64("SGk=SGk=") == "Hi");
  CHECK(decode_base64("").empty());
}

TEST_CASE("Transfer encoding: quoted-printable keeps lines, joins soft breaks, forgives what is none") {
  CHECK(decode_quoted_printable("gr=C3=BC=c3=9Fe") ==
        "gr\xc3\xbc\xc3\x9f"
        "e");
  CHECK(decode_quoted_printable("one =\r\nline\r\nnext  \r\n") == "one line\nnext\n");
  CHECK(decode_quoted_printable("one =  \r\nline") == "one line");
  CHECK(decode_quoted_printable("1=1, =G0 and =4") == "1=1, =G0 and =4");
  CHECK(decode_quoted_printable("\r\n\r\n") == "\n\n");
}

TEST_CASE("Transfer encoding: one that nobody knows is refused") {
  CHECK(decode_transfer("x", " 8BIT "));
  const auto refused = decode_transfer("x", "x-uuencode");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unsupported);
}

TEST_CASE("Charset: each of ours, and libc's, gives UTF-8") {
  CHECK(utf8_of("gr\xfc\xdf", "ISO-8859-1") == "grüß");
  CHECK(utf8_of("\x80 \x93x\x94", "windows-1252") == "€ “x”");
  CHECK(utf8_of("\x80", "iso-8859-1") == "€");  // who writes it so means windows-1252
  CHECK(utf8_of("\xa4", "iso-8859-15") == "€");
  CHECK(utf8_of("\xf0\xd2\xc9", "koi8-r") == "При");
  CHECK(utf8_of("\x1b$B$3$s\x1b(B!", "iso-2022-jp") == "こん!");
  CHECK(utf8_of("grüß", "us-ascii") == "grüß");
  CHECK(utf8_of("plain", "") == "plain");
}

TEST_CASE("Charset: what is broken costs a sign and not the mail") {
  CHECK(utf8_of("a\xff"
                "b",
                "utf-8") ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(repair_utf8("\xc0\xaf") == "\xef\xbf\xbd\xef\xbf\xbd");  // overlong
  CHECK(repair_utf8("\xe0\x80\xaf").size() == 9);
  CHECK(repair_utf8("\xf0\x80\x80\xaf").size() == 12);
  CHECK(repair_utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  CHECK(repair_utf8("\xf4\x90\x80\x80").size() == 12);                           // beyond the last character
  CHECK(repair_utf8("\xe2\x82") == "\xef\xbf\xbd\xef\xbf\xbd");                  // cut off
  CHECK(repair_utf8("€ 😀 \x7f") == "€ 😀 \x7f");
  CHECK(utf8_of("a\xff"
                "b",
                "euc-kr")
            .starts_with("a\xef\xbf\xbd"));
}

TEST_CASE("Charset: only names that are meant are given to libc") {
  for (const char* name : {"utf-99", "../../tmp/x", "utf-8//translit", "iso-2022-cn-ext"}) {
    const auto refused = to_utf8("x", name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::unsupported);
  }
}

TEST_CASE("Encoded words: both encodings, blanks between two of them, and what is none") {
  CHECK(decode_words("Re: =?utf-8?B?R3LDvMOfZQ==?=") == "Re: Grüße");
  CHECK(decode_words("=?ISO-8859-1?Q?Gr=FC=DFe_an?= alle") == "Grüße an alle");
  CHECK(decode_words("=?utf-8?q?a?=  =?utf-8?q?b?= c") == "ab c");
  CHECK(decode_words("=?utf-8*en?q?a?=") == "a");
  CHECK(decode_words("=?nonsense?q?a?=") == "=?nonsense?q?a?=");
  CHECK(decode_words("=?utf-8?x?a?=") == "=?utf-8?x?a?=");
  CHECK(decode_words("=?utf-8?q?a b?=") == "=?utf-8?q?a b?=");
  CHECK(decode_words("=?utf-8?q?a=0D=0ABcc:_x?=") == "a  Bcc: x");  // stays one line
  CHECK(decode_words("=?utf-8?q?unfinished") == "=?utf-8?q?unfinished");
}

TEST_CASE("Flowed text: paragraphs are whole again, quotes and signatures stay apart") {
  CHECK(unflow("one \r\ntwo \r\nthree\r\nnext\r\n", false) == "one two three\nnext\n");
  CHECK(unflow("one \r\n> quoted \r\n> on\r\n>> deeper\r\n", false) == "one \n> quoted on\n>> deeper\n");
  CHECK(unflow("text \r\n-- \r\nAda\r\n", false) == "text \n-- \nAda\n");
  CHECK(unflow("ab \r\ncd\r\n", true) == "abcd\n");
  CHECK(unflow(" From here\r\n  two blanks\r\n", false) == "From here\n two blanks\n");
}

TEST_CASE("Header: an empty value is there, a missing one is not") {
  const auto header = header_of("A:\n\n");
  CHECK(header.has("a"));
  CHECK(header.first("a").empty());
  CHECK_FALSE(header.has("b"));
}

}  // namespace holdfast::lmtp
