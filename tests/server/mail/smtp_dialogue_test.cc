#include "server/mail/smtp_dialogue.h"

#include <catch2/catch.hpp>

namespace holdfast::mail {
namespace {

constexpr const char* kRecipient = "anna@inbox.test";

/// Ours begin with "> ", the relay's with "< "; "." is the mail with its final dot.
SmtpDialogue play(const std::vector<std::string>& lines) {
  SmtpDialogue dialogue;
  dialogue.heard("220 relay ESMTP\r\n");
  for (const std::string& line : lines) {
    if (line == ".")
      dialogue.said_all();
    else if (line.starts_with("> "))
      dialogue.said(line.substr(2) + "\r\n");
    else
      dialogue.heard(line.substr(2) + "\r\n");
  }
  return dialogue;
}

Sent after(const std::vector<std::string>& lines) { return play(lines).verdict("connection lost", kRecipient); }

const std::string kMail = "> MAIL FROM:<chat@x>", kRcpt = "> RCPT TO:<anna@inbox.test>", kOk = "< 250 ok",
                  kData = "> DATA", kGo = "< 354 go";

Sent recipient_answered(const std::string& reply) { return after({kMail, kOk, kRcpt, "< " + reply}); }
Sent dot_answered(const std::string& reply) { return after({kMail, kOk, kRcpt, kOk, kData, kGo, ".", "< " + reply}); }

}  // namespace

TEST_CASE("SMTP dialogue: a recipient or a mail refused for good is never, with the relay's code and reason") {
  const Sent sent = recipient_answered("550 5.1.1 <anna@inbox.test>: Recipient address rejected");
  CHECK(sent.outcome == Outcome::never);
  CHECK(sent.code == 550);
  CHECK(sent.text == "5.1.1 […] Recipient address rejected");
  CHECK(recipient_answered("550 no such user").outcome == Outcome::never);
  CHECK(recipient_answered("552 5.2.2 mailbox full").outcome == Outcome::never);
  CHECK(dot_answered("554 5.6.0 content refused").outcome == Outcome::never);
  CHECK(after({kMail, "< 552 5.3.4 message too large"}).outcome == Outcome::never);
}

TEST_CASE("SMTP dialogue: refused for now is later, wherever it is said") {
  CHECK(recipient_answered("450 4.2.0 greylisted").outcome == Outcome::later);
  CHECK(recipient_answered("452 4.2.2 mailbox full").outcome == Outcome::later);
  CHECK(dot_answered("451 4.3.0 try again").outcome == Outcome::later);
  CHECK(dot_answered("451 4.3.0 try again").code == 451);
  CHECK(after({"< 421 4.3.2 closing"}).code == 421);
}

TEST_CASE("SMTP dialogue: a 5xx about us is not held against the recipient") {
  CHECK(recipient_answered("554 5.7.1 <anna@inbox.test>: Relay access denied").outcome == Outcome::later);
  CHECK(recipient_answered("503 bad sequence").outcome == Outcome::later);
  CHECK(recipient_answered("503 5.5.1 bad sequence").outcome == Outcome::later);
  CHECK(dot_answered("550 5.7.26 unauthenticated mail is prohibited").outcome == Outcome::later);
  CHECK(after({kMail, "< 550 5.1.8 sender rejected"}).outcome == Outcome::later);
  CHECK(after({kMail, "< 530 5.7.0 authenticate first"}).outcome == Outcome::later);
  CHECK(after({"> AUTH PLAIN c2VjcmV0", "< 535 5.7.8 wrong password"}).outcome == Outcome::later);
  CHECK(after({kMail, kOk, kRcpt, kOk, kData, "< 554 no"}).outcome == Outcome::later);  // to DATA itself
}

TEST_CASE("SMTP dialogue: only a final dot without a reply is in doubt") {
  CHECK(play({kMail, kOk, kRcpt, kOk, kData, kGo, "."}).is_in_doubt());
  CHECK(play({kMail, kOk, kRcpt, kOk, kData, kGo, ".", "< 250-not yet"}).is_in_doubt());
  CHECK_FALSE(play({kMail, kOk, kRcpt, kOk, kData, kGo}).is_in_doubt());
  CHECK_FALSE(play({kMail, kOk, kRcpt, kOk, kData, kGo, ".", "< 451 no"}).is_in_doubt());
  const Sent lost = after({kMail, kOk, kRcpt, kOk, kData, kGo, "."});
  CHECK(lost.outcome == Outcome::later);
  CHECK(lost.code == 0);
  CHECK(lost.text == "connection lost");
}

TEST_CASE("SMTP dialogue: what is said after QUIT decides nothing, and a reply may have several lines") {
  const Sent sent = after({kMail, kOk, kRcpt, "< 550-5.1.1 no such", "< 550 5.1.1 user", "> QUIT", "< 221 bye"});
  CHECK(sent.outcome == Outcome::never);
  CHECK(sent.code == 550);
  CHECK(sent.text == "5.1.1 no such 5.1.1 user");
}

TEST_CASE("SMTP dialogue: a kept text names no address, no link and no secret") {
  CHECK(without_addresses("<a@b> no", "") == "[…] no");
  CHECK(without_addresses("mailbox anna, unknown: Anna!", "anna@x") == "mailbox […] unknown: […]");
  CHECK(without_addresses("spam: https://x/reset/0123 found", "") == "spam: […] found");
  CHECK(without_addresses("id " + std::string(33, 'f') + " x", "") == "id […] x");
  CHECK(without_addresses("a\r\nb\x01", "") == "a b");
  CHECK(without_addresses("banana", "an@x") == "banana");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "word ";
  CHECK(without_addresses(many, "").size() <= 200);
}

}  // namespace holdfast::mail
