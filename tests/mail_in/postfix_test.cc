#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/mail_in/answers.h"
#include "tests/support/child.h"
#include "tests/support/postfix.h"
#include "tests/support/process.h"

namespace holdfast::testing {
namespace {

std::string source_file(const std::string& path) {
  const char* root = std::getenv("HOLDFAST_SOURCE");
  return contents_of((root ? std::string(root) + "/" : "") + path);
}

std::string mail_of(const std::string& name) { return source_file("tests/server/lmtp/mails/" + name + ".eml"); }
std::string answer_of(const std::string& name) { return source_file("tests/server/lmtp/mails/" + name + ".txt"); }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Mails as one line: Postfix breaks what it quotes of our replies.
std::string unbroken(const std::vector<std::string>& mails) {
  std::string out;
  for (const auto& mail : mails) {
    for (const char c : mail) {
      const bool space = c == ' ' || c == '\n' || c == '\r';
      if (!space || !out.ends_with(' ')) out += space ? ' ' : c;
    }
  }
  return out;
}

/// As the documentation tells it to be set up.
Postfix postfix_before(const AnswerListener& listener) { return Postfix({listener.port(), {}, {}}); }

bool comes_into_log(const Postfix& postfix, std::string_view line, std::size_t times = 1) {
  const bool came = comes_true([&] { return count(postfix.log(), line) >= times; });
  if (!came) WARN(postfix.log());
  return came;
}

}  // namespace

TEST_CASE("Postfix hands over: each mail program's mail is posted as its answer, under its Message-ID") {
  if (!can_run_postfix()) return;
  AnswerListener listener;
  const Postfix postfix = postfix_before(listener);
  const std::vector<std::string> mails = {"gmail_en",  "gmail_de_html_only",    "outlook_desktop_de_html",
                                          "iphone_de", "thunderbird_en_inline", "k9_de"};
  for (const auto& mail : mails) submit(postfix.port(), "ada@inbox.test", {address_of(1)}, mail_of(mail));
  auto taken = listener.wait_for(mails.size());
  REQUIRE(taken.size() == mails.size());
  for (const auto& mail : mails) {
    INFO(mail);
    const auto same = [&](const TakenAnswer& answer) {
      return answer.text + "\n" == answer_of(mail) && has(mail_of(mail), answer.message_id);
    };
    CHECK(std::count_if(taken.begin(), taken.end(), same) == 1);
  }
  CHECK(comes_into_log(postfix, "dsn=2.0.0, status=sent (250 2.0.0 posted)", mails.size()));
}

TEST_CASE("Postfix hands over: of several recipients each has its own end") {
  if (!can_run_postfix()) return;
  AnswerListener listener;
  const Postfix postfix = postfix_before(listener);
  submit(postfix.port(), "ada@inbox.test", {address_of(1), address_of(200), "nobody@reply.test", address_of(2)},
         mail_of("k9_de"));
  const auto taken = listener.wait_for(2);
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].recipient + taken[1].recipient == 3);
  CHECK(taken[0].message_id == taken[1].message_id);
  CHECK(comes_into_log(postfix, "status=sent (250 2.0.0 posted)", 2));
  CHECK(comes_into_log(postfix, "dsn=5.1.1, status=bounced", 2));
  const auto bounces = postfix.wait_for_delivered(1);  // to who sent it
  REQUIRE(bounces.size() == 1);
  CHECK(has(unbroken(bounces), "nobody is answered at this address"));
}

TEST_CASE("Postfix hands over: what can't be posted now comes again with the same Message-ID") {
  if (!can_run_postfix()) return;
  AnswerListener listener({Error{Errc::retry_later, "the partition moves"}, Error{Errc::storage_full, ""}});
  const Postfix postfix = postfix_before(listener);
  submit(postfix.port(), "ada@inbox.test", {address_of(1)}, "Subject: no id of its own\n\nHello\n");
  const auto taken = listener.wait_for(3);
  REQUIRE(taken.size() == 3);
  CHECK(taken[0].text == "Hello");
  CHECK(taken[1].message_id == taken[0].message_id);
  CHECK(taken[2].message_id == taken[0].message_id);
  CHECK(comes_into_log(postfix, "status=sent (250 2.0.0 posted)"));
  CHECK(has(postfix.log(), "dsn=4.3.0, status=deferred"));
  CHECK(has(postfix.log(), "dsn=4.3.1, status=deferred"));
}

TEST_CASE("Postfix hands over: automatic mail is posted by nobody, and a person hears why") {
  if (!can_run_postfix()) return;
  AnswerListener listener;
  const Postfix postfix = postfix_before(listener);
  submit(postfix.port(), "ada@inbox.test", {address_of(1)},
         "Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n");
  submit(postfix.port(), "", {address_of(1)}, "Subject: Undelivered\n\nA bounce.\n");
  submit(postfix.port(), "ada@inbox.test", {address_of(1)}, "Subject: Re: x\n\n> only what is quoted\n");
  CHECK(comes_into_log(postfix, "dsn=5.7.1, status=bounced", 2));
  CHECK(comes_into_log(postfix, "dsn=5.6.0, status=bounced"));
  const auto bounces = postfix.wait_for_delivered(2);  // the null sender hears nothing
  REQUIRE(bounces.size() == 2);
  CHECK(has(unbroken(bounces), "only mail that a person wrote is taken here"));
  CHECK(has(unbroken(bounces), "nothing is in it but what it quotes"));
  submit(postfix.port(), "ada@inbox.test", {address_of(1)}, "Subject: Re: x\n\nA word of mine\n");
  CHECK(listener.wait_for(1).size() == 1);  // and that is all that ever came
}

TEST_CASE("Postfix hands over: asked before it takes a mail, it refuses addresses that nobody is answered at") {
  if (!can_run_postfix()) return;
  AnswerListener listener;
  const Postfix postfix(
      {listener.port(),
       {},
       {"smtpd_recipient_restrictions = reject_unverified_recipient", "unverified_recipient_reject_code = 550"}});
  const auto answered = [&](std::uint8_t recipient, std::string_view code) {
    std::string reply;
    const bool came = comes_true([&] {  // 450 while Postfix is still asking
      reply = reply_to_recipient(postfix.port(), address_of(recipient));
      return !reply.starts_with("450");
    });
    INFO(reply);
    CHECK(came);
    CHECK(reply.starts_with(code));
  };
  answered(200, "550 5.1.1");
  answered(1, "250");
  submit(postfix.port(), "ada@inbox.test", {address_of(1)}, mail_of("k9_de"));
  CHECK(listener.wait_for(1).size() == 1);
}

TEST_CASE("Postfix hands over: of several nodes one that is down is passed over") {
  if (!can_run_postfix()) return;
  AnswerListener listener;
  const auto nodes =
      "lmtp:inet:127.0.0.1:" + std::to_string(free_port()) + ", 127.0.0.1:" + std::to_string(listener.port());
  const Postfix postfix({listener.port(), {}, {"transport_maps = inline:{ {reply.test = " + nodes + "} }"}});
  submit(postfix.port(), "ada@inbox.test", {address_of(1)}, mail_of("k9_de"));
  CHECK(listener.wait_for(1).size() == 1);
  CHECK(comes_into_log(postfix, "status=sent (250 2.0.0 posted)"));
  CHECK(has(postfix.log(), "Connection refused"));
}

TEST_CASE("Postfix hands over: a mail that is too large goes back to its sender") {
  if (!can_run_postfix()) return;
  lmtp::SessionOptions session;
  session.message_bytes_max = 64 << 10;
  AnswerListener listener({}, session);
  const Postfix postfix = postfix_before(listener);
  std::string mail = "Subject: large\n\n";
  while (mail.size() < 100'000) mail += "a line of text that is not quoted at all\n";
  submit(postfix.port(), "ada@inbox.test", {address_of(1)}, mail);
  CHECK(comes_into_log(postfix, "dsn=5.3.4, status=bounced"));
  REQUIRE(postfix.wait_for_delivered(1).size() == 1);
}

}  // namespace holdfast::testing
