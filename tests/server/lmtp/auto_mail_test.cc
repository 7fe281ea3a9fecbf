#include "server/lmtp/auto_mail.h"

#include <catch2/catch.hpp>

#include "server/mail/message_id.h"
#include "tests/server/lmtp/mail_text.h"

namespace holdfast::lmtp {
namespace {

std::string refusal_of(const std::string& header, const AutoMailRules& rules = {}) {
  const auto split = split_header(crlf("Subject: x\n" + header + "\nbody\n"), {});
  REQUIRE(split);
  const auto refused = refuse_automatic(split.value().header, rules);
  return refused ? std::to_string(refused->code) + " " + refused->enhanced : "taken";
}

std::string received(int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += "Received: from a by b\n";
  return out;
}

}  // namespace

TEST_CASE("Automatic mail: what a machine wrote is refused for good, what a person wrote is not") {
  struct Case {
    const char* header;
    const char* outcome;
  };
  const Case cases[] = {
      {"Auto-Submitted: auto-replied\n", "550 5.7.1"},
      {"Auto-Submitted: auto-generated; owner-email=\"a@b\"\n", "550 5.7.1"},
      {"Auto-Submitted: Auto-Notified (why)\n", "550 5.7.1"},
      {"Auto-Submitted: no\n", "taken"},
      {"Auto-Submitted: NO (a person)\n", "taken"},
      {"Precedence: bulk\n", "550 5.7.1"},
      {"Precedence: auto_reply\n", "550 5.7.1"},
      {"Precedence: List\n", "550 5.7.1"},
      {"Precedence: first-class\n", "taken"},
      {"X-Autoreply: yes\n", "550 5.7.1"},
      {"X-AutoReply-From: a@b\n", "550 5.7.1"},
      {"X-Failed-Recipients: a@b\n", "550 5.7.1"},
      {"X-Auto-Response-Suppress: All\n", "taken"},  // Outlook puts it into mail that people write
      {"List-Id: <list.example.org>\n", "550 5.7.1"},
      {"List-Unsubscribe: <mailto:a@b>\n", "taken"},  // alone it makes no list
      {"Return-Path: <>\n", "550 5.7.1"},
      {"Return-Path: <ada@example.org>\n", "taken"},
      {"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n", "550 5.7.1"},
      {"Content-Type: multipart/mixed; boundary=x\n", "taken"},
  };
  for (const auto& [header, outcome] : cases) {
    INFO(header);
    CHECK(refusal_of(header) == outcome);
  }
}

TEST_CASE("Automatic mail: a loop is seen by its Received lines, and by a Message-ID of ours") {
  CHECK(refusal_of(received(30)) == "taken");
  CHECK(refusal_of(received(31)) == "554 5.4.6");
  const AutoMailRules rules{
      .received_max = 30, .is_own_message_id = [](std::string_view id) { return id.ends_with("@mail.chat.example>"); }};
  CHECK(refusal_of("Message-ID: <1@mail.chat.example>\n", rules) == "554 5.4.6");
  CHECK(refusal_of("Message-ID: <1@chat.example>\nIn-Reply-To: <1@mail.chat.example>\n", rules) == "taken");
  CHECK(refusal_of("", rules) == "taken");
}

TEST_CASE("Automatic mail: our Message-IDs are those that the mailer makes, and no others of the domain") {
  const auto is_own = own_message_ids("chat.example");
  const auto id = mail::message_id_of(std::string("\x00\xff 16 bytes of id", 16), "chat.example").str();
  CHECK(is_own(id));
  CHECK_FALSE(is_own(mail::message_id_of(std::string(16, 'x'), "other.example").str()));
  CHECK_FALSE(is_own(mail::message_id_of(std::string(15, 'x'), "chat.example").str()));
  // As Thunderbird and Apple's programs make them, in their user's domain.
  CHECK_FALSE(is_own("<7B8F0B0E-1111-2222-3333-444455556666@chat.example>"));
  for (const char* odd : {"", "<", "<>", "<@>", "@", "<00000000000000000000000000000000",
                          "<00000000000000000000000000000000>", "<00000000000000000000000000000000@>"}) {
    INFO(odd);
    CHECK_FALSE(is_own(odd));
  }
}

TEST_CASE("Automatic mail: bounces are known by the envelope") {
  REQUIRE(refuse_sender(""));
  CHECK(refuse_sender("")->code == 550);
  CHECK(refuse_sender("")->enhanced.starts_with("5.7."));
  CHECK(refuse_sender("MAILER-DAEMON@example.org"));
  CHECK_FALSE(refuse_sender("ada@example.org"));
}

}  // namespace holdfast::lmtp
