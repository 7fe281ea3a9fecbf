#include <catch2/catch.hpp>
#include <future>

#include "tests/mail_out/sending.h"
#include "tests/support/process.h"
#include "tests/support/smtp_server.h"

namespace holdfast::mail {
namespace {

using testing::make_certificate;
using testing::SmtpServer;

constexpr const char* kAnna = "anna@inbox.test";

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Mailer: a relay that takes the mail has it byte for byte, on one connection for all") {
  const SmtpServer relay("take");
  const auto mailer = start_mailer({smtp(relay.port()), {}});
  std::vector<std::string> expected;
  for (int i = 0; i < 3; ++i) {
    const Mail mail = mail_to(kAnna, ".\n..\nline " + std::to_string(i) + "\n.\nQUIT\n", i);
    expected.push_back(mail.text);
    const Sent sent = send_and_wait(*mailer, mail);
    CHECK(sent.outcome == Outcome::sent);
    CHECK(sent.code == 250);
  }
  CHECK(relay.mails() == expected);
  CHECK(relay.connections() == 1);
  const auto figures = mailer->figures();
  CHECK(figures.sent == 3);
  CHECK(figures.later + figures.never == 0);
}

TEST_CASE("Mailer: lines that begin with a dot come through as they are, whoever made the mail") {
  const SmtpServer relay("take");
  const auto mailer = start_mailer({smtp(relay.port()), {}});
  Mail mail = mail_to(kAnna);
  mail.text += ".\r\n..\r\n.x\r\n\r\n.\r\nend\r\n";
  CHECK(send_and_wait(*mailer, mail).outcome == Outcome::sent);
  REQUIRE(relay.mails().size() == 1);
  CHECK(relay.mails()[0] == mail.text);
}

TEST_CASE("Mailer: a kept connection that the relay has closed costs nothing but another one") {
  const SmtpServer relay("hang_up");
  const auto mailer = start_mailer({smtp(relay.port()), {}});
  for (int i = 0; i < 3; ++i) CHECK(send_and_wait(*mailer, mail_to(kAnna, "x\n", i)).outcome == Outcome::sent);
  CHECK(relay.mails().size() == 3);
  CHECK(relay.connections() == 3);
}

TEST_CASE("Mailer: a recipient refused for good is never, not offered to the next relay, and not named") {
  const SmtpServer refusing("reject"), other("take");
  const auto mailer = start_mailer({smtp(refusing.port()) + "," + smtp(other.port()), {}});
  const Sent sent = send_and_wait(*mailer, mail_to(kAnna));
  CHECK(sent.outcome == Outcome::never);
  CHECK(sent.code == 550);
  CHECK(says(sent.text, "User unknown"));
  CHECK_FALSE(says(sent.text, "anna"));
  CHECK_FALSE(says(sent.text, "@"));
  CHECK(other.connections() == 0);
  CHECK(mailer->figures().never == 1);
}

TEST_CASE("Mailer: a mail refused for good after its final dot is never, without the link that was in it") {
  const SmtpServer relay("spam");
  const auto mailer = start_mailer({smtp(relay.port()), {}});
  const Sent sent = send_and_wait(*mailer, mail_to(kAnna));
  CHECK(sent.outcome == Outcome::never);
  CHECK(sent.code == 554);
  CHECK_FALSE(says(sent.text, "secret"));
}

TEST_CASE("Mailer: a relay that is not ours is our fault: the next one is asked, and it stays for later") {
  const SmtpServer stranger("deny"), other("take");
  const auto both = start_mailer({smtp(stranger.port()) + "," + smtp(other.port()), {}});
  CHECK(send_and_wait(*both, mail_to(kAnna)).outcome == Outcome::sent);
  CHECK(other.mails().size() == 1);
  const auto alone = start_mailer({smtp(stranger.port()), {}});
  const Sent sent = send_and_wait(*alone, mail_to(kAnna));
  CHECK(sent.outcome == Outcome::later);
  CHECK(sent.code == 554);
}

TEST_CASE("Mailer: refused for now is later, and taken when it is sent again") {
  const SmtpServer relay("later_once");
  const auto mailer = start_mailer({smtp(relay.port()), {}});
  const Sent first = send_and_wait(*mailer, mail_to(kAnna));
  CHECK(first.outcome == Outcome::later);
  CHECK(first.code == 451);
  CHECK(send_and_wait(*mailer, mail_to(kAnna)).outcome == Outcome::sent);
  CHECK(relay.mails().size() == 1);
}

TEST_CASE("Mailer: a relay that is too busy, or not there, is passed over, and then comes last") {
  const SmtpServer busy("busy"), other("take");
  const std::string gone = smtp(testing::free_port());
  const auto mailer = start_mailer({gone + "," + smtp(busy.port()) + "," + smtp(other.port()), {}});
  for (int i = 0; i < 3; ++i) CHECK(send_and_wait(*mailer, mail_to(kAnna, "x\n", i)).outcome == Outcome::sent);
  CHECK(other.mails().size() == 3);
  CHECK(busy.connections() == 1);
  const auto nobody = start_mailer({gone, {}});
  const Sent sent = send_and_wait(*nobody, mail_to(kAnna));
  CHECK(sent.outcome == Outcome::later);
  CHECK(sent.code == 0);
}

TEST_CASE("Mailer: a relay that never says a word costs its time-out, and the mail goes elsewhere") {
  const SmtpServer silent("silent"), other("take");
  const auto mailer = start_mailer({smtp(silent.port()) + "," + smtp(other.port()), {}, std::chrono::seconds(1)});
  CHECK(send_and_wait(*mailer, mail_to(kAnna)).outcome == Outcome::sent);
  CHECK(other.mails().size() == 1);
  CHECK(silent.mails().empty());
}

TEST_CASE("Mailer: without a reply to the final dot a mail is for later, and no other relay gets it meanwhile") {
  for (const char* behaviour : {"lose", "stall"}) {
    INFO(behaviour);
    const SmtpServer losing(behaviour), other("take");
    const auto mailer = start_mailer({smtp(losing.port()) + "," + smtp(other.port()), {}, std::chrono::seconds(2)});
    const Mail mail = mail_to(kAnna);
    const Sent sent = send_and_wait(*mailer, mail);
    CHECK(sent.outcome == Outcome::later);
    CHECK(sent.code == 0);
    REQUIRE(losing.mails().size() == 1);
    CHECK(other.mails().empty());
    // Its caller sends the same mail again, which goes elsewhere now, and both have the same Message-ID.
    CHECK(send_and_wait(*mailer, mail).outcome == Outcome::sent);
    REQUIRE(other.mails().size() == 1);
    CHECK(other.mails()[0] == losing.mails()[0]);
  }
}

TEST_CASE("Mailer: a reply that comes too late is not taken for the next mail's") {
  const SmtpServer relay("slow_once");
  const auto mailer = start_mailer({smtp(relay.port()), {}, std::chrono::seconds(1)});
  CHECK(send_and_wait(*mailer, mail_to(kAnna, "first\n", 1)).outcome == Outcome::later);
  CHECK(send_and_wait(*mailer, mail_to(kAnna, "second\n", 2)).outcome == Outcome::sent);
  CHECK(relay.mails().size() == 2);
  CHECK(relay.connections() == 2);
}

TEST_CASE("Mailer: a relay that drops the connection in the middle of a mail leaves it for later") {
  const SmtpServer dropping("drop");
  const auto mailer = start_mailer({smtp(dropping.port()), {}});
  CHECK(send_and_wait(*mailer, mail_to(kAnna, std::string(1 << 20, 'x') + "\n")).outcome == Outcome::later);
  CHECK(dropping.mails().empty());
}

TEST_CASE("Mailer: STARTTLS and TLS are taken only with a certificate that we believe, for that host") {
  const TempDirectory folder;
  const auto good = make_certificate(folder.path()), other_host = make_certificate(folder.path(), "relay.test");
  const SmtpServer starttls_relay("take", {good}), tls_relay("take", {good, true}), wrong_name("take", {other_host});
  const auto outcome = [](const std::string& relay, const std::string& ca_file) {
    return send_and_wait(*start_mailer({relay, ca_file}), mail_to(kAnna));
  };
  CHECK(outcome(starttls(starttls_relay.port()), good.certificate_file).outcome == Outcome::sent);
  CHECK(outcome(smtps(tls_relay.port()), good.certificate_file).outcome == Outcome::sent);
  CHECK(starttls_relay.mails().size() == 1);
  CHECK(tls_relay.mails().size() == 1);

  for (const auto& sent : {outcome(starttls(starttls_relay.port()), ""), outcome(smtps(tls_relay.port()), ""),
                           outcome(starttls(wrong_name.port()), other_host.certificate_file)}) {
    CHECK(sent.outcome == Outcome::later);
    CHECK(says(sent.text, "SSL"));
  }
  CHECK(starttls_relay.mails().size() == 1);
  CHECK(tls_relay.mails().size() == 1);
  CHECK(wrong_name.recipients() == 0);
}

TEST_CASE("Mailer: where STARTTLS is required and not offered, nothing is sent") {
  const SmtpServer plain("take", {{}, false, ""});
  const Sent sent = send_and_wait(*start_mailer({starttls(plain.port()), {}}), mail_to(kAnna));
  CHECK(sent.outcome == Outcome::later);
  CHECK(plain.recipients() == 0);
}

TEST_CASE("Mailer: a relay that wants a log-in gets it over TLS, and a wrong one is no fault of the recipient's") {
  const TempDirectory folder;
  const auto certificate = make_certificate(folder.path());
  const SmtpServer relay("take", {certificate, false, "chat@holdfast.test:p:w@1"});
  const auto with = [&](const std::string& login) {
    return "smtp+starttls://" + login + "127.0.0.1:" + std::to_string(relay.port());
  };
  CHECK(send_and_wait(*start_mailer({with("chat%40holdfast.test:p%3Aw%401@"), certificate.certificate_file}),
                      mail_to(kAnna))
            .outcome == Outcome::sent);
  CHECK(relay.logins() == 1);
  CHECK(relay.mails().size() == 1);
  for (const char* login : {"chat%40holdfast.test:geheim@", ""}) {
    const Sent sent = send_and_wait(*start_mailer({with(login), certificate.certificate_file}), mail_to(kAnna));
    CHECK(sent.outcome == Outcome::later);
    CHECK(sent.code / 100 == 5);
    CHECK_FALSE(says(sent.text, "geheim"));
  }
  CHECK(relay.mails().size() == 1);
}

TEST_CASE("Mailer: several connections send at the same time, and every mail once") {
  const SmtpServer relay("take");
  const auto mailer = start_mailer({smtp(relay.port()), {}, std::chrono::seconds(20), 4});
  std::vector<std::future<Sent>> answers;
  for (int i = 0; i < 100; ++i) {
    auto answer = std::make_shared<std::promise<Sent>>();
    answers.push_back(answer->get_future());
    REQUIRE(mailer->send(mail_to(kAnna, "x\n", i), [answer](Sent sent) { answer->set_value(std::move(sent)); }));
  }
  for (auto& answer : answers) CHECK(answer.get().outcome == Outcome::sent);
  auto mails = relay.mails();
  std::sort(mails.begin(), mails.end());
  CHECK(mails.size() == 100);
  CHECK(std::unique(mails.begin(), mails.end()) == mails.end());
  CHECK(relay.connections() >= 2);
  CHECK(relay.connections() <= 4);
}

TEST_CASE("Mailer: a stop does not wait for a relay that stalls, and answers all it had taken") {
  const SmtpServer silent("silent");
  const auto mailer = start_mailer({smtp(silent.port()), {}, std::chrono::seconds(600)});
  std::vector<Outcome> outcomes;
  std::mutex mutex;
  for (int i = 0; i < 3; ++i)
    REQUIRE(mailer->send(mail_to(kAnna, "x\n", i), [&](Sent sent) {
      const std::lock_guard lock(mutex);
      outcomes.push_back(sent.outcome);
    }));
  REQUIRE(testing::comes_true([&] { return silent.connections() == 1; }));
  mailer->stop();
  // What was under way is for later; what waited was not offered to anybody.
  CHECK(outcomes.size() == 3);
  CHECK(std::count(outcomes.begin(), outcomes.end(), Outcome::later) >= 1);
  for (const Outcome outcome : outcomes) CHECK((outcome == Outcome::later || outcome == Outcome::unoffered));
}

}  // namespace holdfast::mail
