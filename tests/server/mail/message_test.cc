#include "server/mail/message.h"

#include <catch2/catch.hpp>

#include "server/mail/encoding.h"

namespace holdfast::mail {
namespace {

Headers headers() {
  return {*Address::parse("chat@example.org"),
          "Holdfast",
          *Address::parse("anna@inbox.test"),
          "Hello",
          message_id_of("id", "example.org"),
          from_ms(0),
          std::nullopt,
          {},
          ""};
}

std::string text_of(const Headers& headers, const Content& content = {"Hi\n", "<p>Hi</p>\n"}) {
  const auto mail = compose(headers, content);
  REQUIRE(mail);
  return mail->text;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Names of the header fields, in their order.
std::vector<std::string> field_names(const std::string& text) {
  std::vector<std::string> names;
  std::string_view rest = text;
  while (!rest.starts_with("\r\n")) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    if (!line.starts_with(' ')) names.emplace_back(line.substr(0, line.find(':')));
    rest.remove_prefix(line.size() + 2);
  }
  return names;
}

}  // namespace

TEST_CASE("Message: a mail whole, byte for byte, and the same one again") {
  const std::string expected =
      "From: \"Holdfast\" <chat@example.org>\r\n"
      "To: <anna@inbox.test>\r\n"
      "Subject: Hello\r\n"
      "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
      "Message-ID: <6964@example.org>\r\n"
      "Auto-Submitted: auto-generated\r\n"
      "X-Auto-Response-Suppress: All\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n"
      "\r\n"
      "Gr=C3=BC=C3=9Fe\r\n";
  CHECK(text_of(headers(), {"Grüße\n", ""}) == expected);
  CHECK(text_of(headers()) == text_of(headers()));
}

TEST_CASE("Message: text and HTML are alternatives, plain one first, between boundaries that no body can hold") {
  const std::string text = text_of(headers(), {"--=_\n", "<p>=_</p>\n"});
  const auto at = text.find("boundary=\"");
  REQUIRE(at != std::string::npos);
  const std::string boundary = text.substr(at + 10, text.find('"', at + 10) - at - 10);
  CHECK(boundary.substr(0, 2) == "=_");
  const auto first = text.find("\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n");
  const auto second = text.find("\r\n--" + boundary + "\r\nContent-Type: text/html; charset=utf-8\r\n");
  REQUIRE(first != std::string::npos);
  REQUIRE(second != std::string::npos);
  CHECK(first < second);
  CHECK(text.substr(text.size() - boundary.size() - 8) == "\r\n--" + boundary + "--\r\n");
  CHECK(has(text, "\r\n--=3D_\r\n"));
}

TEST_CASE("Message: answers, threads and unsubscribing have their headers") {
  Headers all = headers();
  all.reply_to = *Address::parse("reply+abc@reply.test");
  all.references = {message_id_of("1", "x"), message_id_of("2", "x")};
  all.unsubscribe_url = "https://chat.example/unsubscribe/abc?x=1&y=2";
  const std::string text = text_of(all);
  CHECK(has(text, "\r\nReply-To: <reply+abc@reply.test>\r\n"));
  CHECK(has(text, "\r\nIn-Reply-To: <32@x>\r\nReferences: <31@x> <32@x>\r\n"));
  CHECK(has(text,
            "\r\nList-Unsubscribe: <https://chat.example/unsubscribe/abc?x=1&y=2>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  CHECK_FALSE(has(text_of(headers()), "List-Unsubscribe"));
}

TEST_CASE("Message: what comes in by free text adds no header") {
  const auto names = field_names(text_of(headers()));
  Headers evil = headers();
  evil.subject = "Hi\r\nBcc: victim@example.org\r\n\r\n<b>body</b>";
  evil.from_name = "X\" <evil@example.org>\r\nBcc: victim@example.org\n";
  CHECK(field_names(text_of(evil)) == names);
  evil.subject = std::string("\0\r\n.\r\n", 6) + "ü\r\nQUIT";
  evil.from_name = "ü\r\n X: y";
  CHECK(field_names(text_of(evil)) == names);
}

TEST_CASE("Message: a link to unsubscribe that could break a header, or takes no POST of RFC 8058, is refused") {
  for (const std::string url :
       {"http://x/", "https://x/ y", "https://x/\r\nBcc: a@b", "https://x/>,<mailto:a@b>", "mailto:a@b"}) {
    Headers wrong = headers();
    wrong.unsubscribe_url = url;
    const auto mail = compose(wrong, {"a\n", ""});
    REQUIRE_FALSE(mail);
    CHECK(mail.error().code == Errc::invalid_argument);
  }
}

TEST_CASE("Message: no line is longer than 998 bytes, whatever stands in it") {
  Headers longest = headers();
  longest.subject = std::string(3'000, 's') + " " + std::string(3'000, ' ') + "ü";
  longest.from_name = std::string(500, 'n');
  for (int i = 0; i < 50; ++i) longest.references.push_back(message_id_of(std::string(64, 'i'), "example.org"));
  longest.unsubscribe_url = "https://x/" + std::string(890, 'u');
  const std::string text = text_of(longest, {std::string(5'000, 'x') + "\n", std::string(5'000, '\xfc') + "\n"});
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = text.find("\r\n", begin);
    REQUIRE(end != std::string::npos);
    REQUIRE(end - begin <= 998);
    begin = end + 2;
  }
}

}  // namespace holdfast::mail
