#include <catch2/catch.hpp>

#include "tests/mail_out/sending.h"
#include "tests/support/postfix.h"

namespace holdfast::mail {
namespace {

using testing::can_run_postfix;
using testing::make_certificate;
using testing::Postfix;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// As a maildir keeps it, with LF.
std::string with_line_feeds(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
  return text;
}

}  // namespace

TEST_CASE("Postfix: what was sent arrives as it was composed, and nobody is refused it") {
  if (!can_run_postfix()) return;
  const Postfix postfix;
  const auto mailer = start_mailer({smtp(postfix.port()), {}});
  const Mail mail = mail_to("anna+chat@inbox.test", ".\nGrüße, 😀\n" + std::string(2'000, 'x') + "\n..\n");
  const Sent sent = send_and_wait(*mailer, mail);
  CHECK(sent.outcome == Outcome::sent);
  const auto delivered = postfix.wait_for_delivered(1);
  REQUIRE(delivered.size() == 1);
  CHECK(has(delivered[0], "Return-Path: <chat@holdfast.test>\n"));
  CHECK(has(delivered[0], "Delivered-To: anna+chat@inbox.test\n"));
  CHECK(has(delivered[0], "Received: from holdfast.test "));
  const std::string whole = with_line_feeds(mail.text);
  REQUIRE(delivered[0].size() > whole.size());
  CHECK(delivered[0].substr(delivered[0].size() - whole.size()) == whole);
}

TEST_CASE("Postfix: a domain that it does not relay for is our fault; an address that it does not know is not") {
  if (!can_run_postfix()) return;
  const Postfix postfix({0,
                         {},
                         {"smtpd_relay_restrictions = reject_unauth_destination",
                          "smtpd_recipient_restrictions = check_recipient_access inline:{ {bob@inbox.test = 550 5.1.1 "
                          "no such user here} }"}});
  const auto mailer = start_mailer({smtp(postfix.port()), {}});
  const Sent stranger = send_and_wait(*mailer, mail_to("anna@elsewhere.test"));
  CHECK(stranger.outcome == Outcome::later);
  CHECK(stranger.code == 554);
  CHECK(has(stranger.text, "Relay access denied"));
  CHECK_FALSE(has(stranger.text, "elsewhere"));
  const Sent unknown = send_and_wait(*mailer, mail_to("bob@inbox.test"));
  CHECK(unknown.outcome == Outcome::never);
  CHECK(unknown.code == 550);
  CHECK_FALSE(has(unknown.text, "bob"));
  CHECK(send_and_wait(*mailer, mail_to("anna@inbox.test")).outcome == Outcome::sent);
}

TEST_CASE("Postfix: a mail larger than it takes is refused for good") {
  if (!can_run_postfix()) return;
  const Postfix postfix({0, {}, {"message_size_limit = 20000"}});
  const auto mailer = start_mailer({smtp(postfix.port()), {}});
  const Sent sent = send_and_wait(*mailer, mail_to("anna@inbox.test", std::string(40'000, 'x') + "\n"));
  CHECK(sent.code == 552);
  CHECK(sent.outcome == Outcome::never);
}

TEST_CASE("Postfix: STARTTLS with a certificate that we don't believe is refused, and no mail goes") {
  if (!can_run_postfix()) return;
  const TempDirectory folder;
  const auto certificate = make_certificate(folder.path());
  const Postfix postfix({0, certificate, {"smtpd_tls_received_header = yes"}});
  const Sent refused = send_and_wait(*start_mailer({starttls(postfix.port()), {}}), mail_to("anna@inbox.test"));
  CHECK(refused.outcome == Outcome::later);
  CHECK(has(refused.text, "SSL"));
  const Sent sent = send_and_wait(*start_mailer({starttls(postfix.port()), certificate.certificate_file}),
                                  mail_to("anna@inbox.test"));
  CHECK(sent.outcome == Outcome::sent);
  const auto delivered = postfix.wait_for_delivered(1);
  REQUIRE(delivered.size() == 1);
  CHECK(has(delivered[0], "using TLSv1.3"));
}

}  // namespace holdfast::mail
