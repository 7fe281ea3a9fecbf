#include "server/lmtp/incoming_mail.h"

#include <catch2/catch.hpp>

#include "tests/server/lmtp/mail_text.h"

namespace holdfast::lmtp {
namespace {

IncomingMail mail_of(std::string_view text) {
  auto mail = parse_mail(crlf(text));
  if (!mail) FAIL(mail.error().message);
  return *mail;
}

Error error_of(std::string_view text, const MimeBounds& bounds = {}) {
  const auto mail = parse_mail(crlf(text), bounds);
  REQUIRE_FALSE(mail);
  return mail.error();
}

/// A multipart of `parts`, each with its own header.
std::string multipart(const std::string& subtype, std::initializer_list<std::string> parts,
                      const std::string& boundary = "b1") {
  std::string out = "Content-Type: multipart/" + subtype + "; boundary=\"" + boundary + "\"\n\npreamble\n";
  for (const auto& part : parts) out += "--" + boundary + "\n" + part + "\n";
  return out + "--" + boundary + "--\nepilogue\n";
}

const std::string kPlain = "Content-Type: text/plain; charset=utf-8\n\nplain text";
const std::string kHtml = "Content-Type: text/html; charset=utf-8\n\n<p>html <b>text</b></p>";
const std::string kPicture = "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=";
const std::string kAttached = "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nattached";

}  // namespace

TEST_CASE("Mail: a plain one gives its text, subject and id") {
  const auto mail = mail_of(
      "From: Ada <ada@example.org>\nSubject: Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: "
      "<1@example.org>\n\nHello\nthere\n");
  CHECK(mail.text == "Hello\nthere\n");
  CHECK(mail.subject == "Re: Grüße");
  CHECK(mail.message_id == "<1@example.org>");
  CHECK(mail.content_type == "text/plain");
  CHECK(mail.attachments == 0);
}

TEST_CASE("Mail: encoding and charset are undone") {
  CHECK(mail_of("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
                "Gr=FC=DFe=\n!\n")
            .text == "Grüße!\n");
  CHECK(mail_of("Content-Type: text/plain; charset=\"UTF-8\"\nContent-Transfer-Encoding: BASE64\n\nR3LDvMOfZQ==\n")
            .text == "Grüße");
  CHECK(mail_of("Content-Type: text/plain; format=flowed\n\none \ntwo\n").text == "one two\n");
  CHECK(mail_of("Content-Type: text/html\n\n<div>a</div>b").text == "a\nb\n");
}

TEST_CASE("Mail: the text is found wherever mail programs put it") {
  struct Case {
    const char* name;
    std::string mail;
    std::string text;
    std::size_t attachments;
  };
  const Case cases[] = {
      {"alternative", multipart("alternative", {kPlain, kHtml}), "plain text", 0},
      {"alternative, HTML first", multipart("alternative", {kHtml, kPlain}), "plain text", 0},
      {"only HTML", multipart("alternative", {kHtml}), "html text\n", 0},
      {"an empty plain one", multipart("alternative", {"Content-Type: text/plain\n\n \n", kHtml}), "html text\n", 0},
      {"with an attachment", multipart("mixed", {multipart("alternative", {kPlain, kHtml}, "b2"), kPicture, kAttached}),
       "plain text", 2},
      {"related in alternative", multipart("alternative", {kPlain, multipart("related", {kHtml, kPicture}, "b2")}),
       "plain text", 0},
      {"Outlook with a picture", multipart("related", {multipart("alternative", {kHtml}, "b2"), kPicture}),
       "html text\n", 1},
      {"Apple, cut by a picture", multipart("mixed", {kPlain, kPicture, kPlain}), "plain text\nplain text", 1},
      {"signed",
       multipart("signed", {kPlain, "Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----"}),
       "plain text", 1},
      {"a mail in a mail", multipart("mixed", {kPlain, "Content-Type: message/rfc822\n\nSubject: x\n\nforeign"}),
       "plain text", 1},
      {"a part without header", multipart("mixed", {"\nbare text"}), "bare text", 0},
      {"boundaries that begin alike", multipart("mixed", {multipart("mixed", {kPlain}, "b12"), kPlain}, "b1"),
       "plain text\nplain text", 0},
  };
  for (const auto& [name, text, expected, attachments] : cases) {
    INFO(name);
    const auto mail = mail_of("Message-ID: <1@x>\n" + text);
    CHECK(mail.text == expected);
    CHECK(mail.attachments == attachments);
  }
}

TEST_CASE("Mail: cut off in its last part, what is there counts") {
  CHECK(mail_of("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsome text\n").text == "some text");
}

TEST_CASE("Mail: a line that only begins like a boundary is text") {
  const auto mail = mail_of(multipart("mixed", {"\n--b1x\n--b1 x\n --b1"}));
  CHECK(mail.text == "--b1x\n--b1 x\n --b1");
}

TEST_CASE("Mail: control characters don't get into the text") {
  CHECK(mail_of("\na\x07\x1b[31mb\tc\x7f\n").text == "a[31mb\tc\n");
  CHECK(parse_mail(std::string_view("\r\na\0b\r\n", 7)).value().text == "ab\n");
}

TEST_CASE("Mail: without a usable Message-ID it has one of its own bytes, the same each time") {
  const std::string text = "Subject: x\n\nHello\n";
  const auto id = mail_of(text).message_id;
  CHECK(id.starts_with("<"));
  CHECK(id.ends_with("@hash.invalid>"));
  CHECK(mail_of(text).message_id == id);
  CHECK(mail_of(text + "!").message_id != id);
  for (const char* broken : {"Message-ID:\n", "Message-ID: nonsense\n", "Message-ID: <>\n", "Message-ID: <a b@c>\n"}) {
    CHECK(mail_of(broken + text).message_id.ends_with("@hash.invalid>"));
  }
  CHECK(mail_of("Message-ID: <" + std::string(300, 'a') + "@x>\n\nHello\n").message_id.ends_with("@hash.invalid>"));
  CHECK(mail_of("Message-ID: (comment) <1@x>\n\nHello\n").message_id == "<1@x>");
}

TEST_CASE("Mail: without text, or with one that can't be read, it is refused and why") {
  CHECK(error_of("Subject: x\n\n\n").message == "a mail without any text");
  CHECK(error_of(multipart("mixed", {kPicture})).code == Errc::invalid_argument);
  CHECK(error_of("Content-Type: text/plain; charset=utf-99\n\nx").code == Errc::unsupported);
  CHECK(error_of("Content-Type: multipart/mixed\n\nx").message == "a multipart without a boundary");
}

TEST_CASE("Mail: depth, parts and headers have bounds that are told; what just fits is taken") {
  std::string nested = kPlain;
  for (int depth = 0; depth < 12; ++depth) nested = multipart("mixed", {nested}, "b" + std::to_string(100 + depth));
  CHECK(mail_of(nested).text == "plain text");
  CHECK(error_of(multipart("mixed", {nested})).message == "a mail with parts more than 12 deep");

  const MimeBounds three{.header = {}, .depth_max = 12, .parts_max = 3};
  CHECK(parse_mail(crlf(multipart("mixed", {kPlain, kPlain})), three));
  CHECK(error_of(multipart("mixed", {kPlain, kPlain, kPlain}), three).message == "a mail with more than 3 parts");

  const auto header = error_of(multipart("mixed", {"X: " + std::string(200'000, 'x') + "\n\ntext"}));
  CHECK(header.code == Errc::too_large);
}

}  // namespace holdfast::lmtp
