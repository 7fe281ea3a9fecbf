#include <catch2/catch.hpp>
#include <future>

#include "server/mail/catalogue.h"
#include "server/mail/mailer.h"
#include "server/mail/message.h"
#include "server/mail/templates.h"
#include "tests/storage/temp_directory.h"
#include "tools/holdfast-chaos/mail_notes.h"
#include "tools/holdfast-load/body.h"

using namespace holdfast;
using namespace holdfast::chaos;

namespace {

/// As the server makes it: its own template, about these letters of talk 3, and so many more.
mail::Mail missed_mail(const std::vector<std::uint64_t>& letters, int more, int number = 1) {
  const auto* kind = mail::find_mail_kind("missed_content");
  REQUIRE(kind != nullptr);
  mail::Values values = mail::sample_values(*kind);
  auto& messages = values.lists["messages"];
  messages.clear();
  for (const std::uint64_t letter : letters)
    messages.push_back(
        {{"author", "chaos-1"}, {"when", "2026-11-29 16:50 UTC"}, {"text", load::make_body(3, letter, kLetterBytes)}});
  values.single.erase("more");
  if (more > 0) values.single["more"] = std::to_string(more);
  const auto templates = mail::Templates::load();
  REQUIRE(templates);
  const auto rendered = templates->render("missed_content", "en", values);
  REQUIRE(rendered);
  const auto from = mail::Address::parse("chat@chaos.test"), to = mail::Address::parse("r1@inbox.test");
  REQUIRE(from);
  REQUIRE(to);
  auto mail = mail::compose({.from = *from,
                             .from_name = "Holdfast",
                             .to = *to,
                             .subject = rendered->subject,
                             .id = mail::message_id_of(std::to_string(number), "chaos.test"),
                             .date = from_ms(1'795'944'900'000),
                             .reply_to = std::nullopt,
                             .references = {},
                             .unsubscribe_url = ""},
                            {rendered->text, rendered->html});
  REQUIRE(mail);
  return *mail;
}

mail::Outcome offer(mail::Mailer& mailer, mail::Mail mail) {
  std::promise<mail::Outcome> became;
  auto answer = became.get_future();
  REQUIRE(mailer.send(std::move(mail), [&](const mail::Sent& sent) { became.set_value(sent.outcome); }));
  REQUIRE(answer.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  return answer.get();
}

/// A sink on the loopback, and the server's own mailer before it.
struct Relayed {
  TempDirectory folder;
  std::unique_ptr<MailSink> sink;
  std::unique_ptr<mail::Mailer> mailer;

  Relayed() {
    auto opened = MailSink::open({"127.0.0.1", folder.path() / "mails", steady_now(), 7});
    REQUIRE(opened);
    sink = std::move(*opened);
    const auto relays = mail::parse_relays(sink->url());
    REQUIRE(relays);
    mail::MailerOptions options;
    options.relays = *relays;
    options.connections = 1;
    auto started = mail::Mailer::start(std::move(options));
    REQUIRE(started);
    mailer = std::move(*started);
  }
};

}  // namespace

TEST_CASE("Chaos mails: a mail about missed messages tells which letters stand in it, and how many more") {
  const auto mail = read_mail_text(missed_mail({12, 7, 300}, 5).text);
  REQUIRE(mail);
  CHECK(mail->id == mail::message_id_of("1", "chaos.test").str());
  CHECK(mail->address == "r1@inbox.test");
  CHECK(mail->letters == std::vector<std::uint64_t>{12, 7, 300});
  CHECK(mail->more == 5);
}

TEST_CASE("Chaos mails: a letter that lost a byte on its way is none") {
  std::string text = missed_mail({12, 7}, 0).text;
  const std::size_t at = text.find("3 12 ");
  REQUIRE(at != std::string::npos);
  text[at + 20] = text[at + 20] == 'x' ? 'y' : 'x';
  const auto mail = read_mail_text(text);
  REQUIRE(mail);
  CHECK(mail->letters == std::vector<std::uint64_t>{7});
  CHECK(mail->more == 0);
}

TEST_CASE("Chaos mails: a mail without a Message-ID can't be read") {
  const auto mail = read_mail_text("To: <r1@inbox.test>\r\nContent-Type: text/plain\r\n\r\nHello\r\n");
  REQUIRE_FALSE(mail);
  CHECK_THAT(mail.error().message, Catch::Contains("Message-ID"));
}

TEST_CASE("Chaos mails: the relay keeps each mail, and tells some twice to come again") {
  Relayed all;
  int number = 0;
  while (offer(*all.mailer, missed_mail({1}, 0, ++number)) == mail::Outcome::sent) REQUIRE(number < 200);
  const auto offered = all.sink->mails();
  REQUIRE(offered.size() == static_cast<std::size_t>(number));
  for (const OfferedMail& one : offered) {
    REQUIRE(one.text);
    CHECK(one.refused == (&one == &offered.back()));
    CHECK(one.offered <= one.taken);
    CHECK(one.text->letters.size() == 1);
  }
  CHECK(offer(*all.mailer, missed_mail({1}, 0, number)) == mail::Outcome::later);
  CHECK(offer(*all.mailer, missed_mail({1}, 0, number)) == mail::Outcome::sent);
  CHECK_FALSE(all.sink->mails().back().refused);
}

TEST_CASE("Chaos mails: a relay that refuses no more takes every mail at its first coming") {
  Relayed all;
  all.sink->refuse_no_more();
  for (int number = 1; number <= 30; ++number)
    CHECK(offer(*all.mailer, missed_mail({1}, 0, number)) == mail::Outcome::sent);
}

TEST_CASE("Chaos mails: mails are noted by their readers; what is for nobody is strange") {
  MailHistory history;
  history.readers = {{"reader0", "r0@inbox.test", true}, {"reader1", "r1@inbox.test", false}};
  auto read = read_mail_text(missed_mail({4}, 2).text);
  REQUIRE(read);
  MailText about_nothing = *read, for_nobody = *read;
  about_nothing.letters.clear();
  for_nobody.address = "r7@inbox.test";
  note_mails({{10, 20, false, *read},
              {30, 40, false, about_nothing},
              {50, 60, false, for_nobody},
              {70, 80, false, Error{Errc::invalid_argument, "broken"}}},
             history);
  REQUIRE(history.mails.size() == 1);
  CHECK(history.mails[0].reader == 1);
  CHECK(history.mails[0].offered == 10);
  CHECK(history.mails[0].letters == std::vector<std::uint64_t>{4});
  CHECK(history.mails[0].more == 2);
  CHECK(history.other_mails == 1);
  REQUIRE(history.strange.size() == 2);
  CHECK_THAT(history.strange[1], Catch::Contains("broken"));
}
