#include "tests/integration/story.h"

#include <catch2/catch.hpp>
#include <set>

#include "clients/cpp/ask.h"
#include "server/lmtp/incoming_mail.h"
#include "tests/integration/raw_client.h"
#include "tests/mail_in/answers.h"
#include "tests/support/child.h"

namespace holdfast::testing {
namespace {

namespace ask = client::ask;

constexpr const char* kAddress = "anna@inbox.test";
constexpr const char* kNewPassword = "violet harbour seventeen";
constexpr const char* kMeant = "are you still there?";
constexpr const char* kAdded = "we meet at eight";
constexpr const char* kAnswer = "On my way, my phone is broken.";

/// "Anna <anna@x>" or "anna@x".
std::string address_in(const std::string& field) {
  const auto from = field.find('<');
  if (from == std::string::npos) return field;
  return field.substr(from + 1, field.find('>', from) - from - 1);
}

}  // namespace

MailRoom::MailRoom(unsigned nodes) {
  for (unsigned i = 0; i < nodes; ++i) lmtp_ports_.push_back(free_port());
  std::string hops;
  for (const std::uint16_t port : lmtp_ports_)
    hops += (hops.empty() ? "lmtp:inet:127.0.0.1:" : ", 127.0.0.1:") + std::to_string(port);
  postfix_ = std::make_unique<Postfix>(PostfixOptions{
      .lmtp_port = lmtp_ports_.front(), .more = {"transport_maps = inline:{ {reply.test = " + hops + "} }"}});
}

std::string MailRoom::config(unsigned node) const {
  return "[mail]\nrelays = \"smtp://127.0.0.1:" + std::to_string(postfix_->port()) +
         "\"\nfrom = \"chat@holdfast.test\"\n[fallback]\ndelay_s = 1\n[lmtp]\ndomain = \"reply.test\"\n" +
         "listen = \"127.0.0.1:" + std::to_string(lmtp_ports_.at(node)) + "\"\n";
}

Story::Story(Scene scene) : scene_(std::move(scene)), anna_name_(fresh_name("anna")) {}

void Story::tell() {
  registers_and_verifies();
  misses_messages_and_gets_them_by_mail();
  answers_by_mail();
  comes_back_and_sees_both();
  forgets_the_password_and_sets_a_new_one();
  finds_old_sessions_dead_and_logs_in();
  got_each_mail_once();
}

/// To verify the address, about the messages (two, if the second came when the first was on its way), the link, the news.
void Story::got_each_mail_once() {
  std::set<std::string> ids;
  const auto mails = scene_.mails.postfix().delivered();
  for (const std::string& text : mails) ids.insert(lmtp::parse_mail(text)->message_id);
  CHECK(ids.size() >= 4);
  CHECK(ids.size() <= 5);
  // A node that dies when the relay has taken the mail leaves it to be sent once more, under the same Message-ID.
  if (!scene_.kills) CHECK(mails.size() == ids.size());
}

Story::Letter Story::next_letter(const std::string& about) {
  for (;;) {
    const auto mails = scene_.mails.postfix().wait_for_delivered(read_ + 1);
    const auto mail = lmtp::parse_mail(mails.at(read_++));
    REQUIRE(mail);
    if (!seen_.insert(mail->message_id).second) continue;  // once more, by the node after the one that was killed
    if (mail->subject.find(about) == std::string::npos) continue;
    return {mail->text, address_in(std::string(mail->header.first("reply-to"))), mail->message_id, mail->subject};
  }
}

/// From the path on: which node answers is the story's to say.
std::string Story::link_in(const Letter& letter, const std::string& page) {
  INFO(letter.text);
  const auto from = letter.text.find(page + "?t=");
  REQUIRE(from != std::string::npos);
  return letter.text.substr(from, letter.text.find_first_of(" \r\n", from) - from);
}

void Story::open(const std::string& path) {
  browser_.open("http://127.0.0.1:" + std::to_string(scene_.http_port()) + path);
}

void Story::registers_and_verifies() {
  anna_ = std::make_unique<Person>(scene_.stage, anna_name_);
  ben_ = std::make_unique<Person>(scene_.stage, fresh_name("ben"));
  talk_ = ben_->direct_with(*anna_);
  anna_->ask(ask::set_email(Person::kPassword, kAddress));
  scene_.between(anna_->id());
  open(link_in(next_letter("address"), "/verify"));
  browser_.click("button");
  browser_.await_text("h1", "Thank you");
  CHECK(anna_->ask(ask::get_account()).account().email_verified());
  scene_.after();
}

void Story::misses_messages_and_gets_them_by_mail() {
  annas_session_ = *anna_->store().load();
  anna_.reset();
  ben_->say(talk_, kMeant);
  last_ = ben_->say(talk_, kAdded);
  scene_.between(*UserId::from_bytes(annas_session_->user_id));
  missed_ = next_letter(ben_->name());
  INFO(missed_.text);
  const auto first = missed_.text.find(kMeant), second = missed_.text.find(kAdded);
  CHECK(first != std::string::npos);
  // Two mails, if the second message came when the first was on its way.
  if (second == std::string::npos)
    CHECK(next_letter(ben_->name()).text.find(kAdded) != std::string::npos);
  else
    CHECK(first < second);
  CHECK(missed_.reply_to.starts_with("reply+"));
  scene_.after();
}

void Story::answers_by_mail() {
  const std::string quoted = "> " + std::string(kMeant) + "\n";
  submit(scene_.mails.postfix().port(), kAddress, {missed_.reply_to},
         "From: Anna <" + std::string(kAddress) + ">\nTo: <" + missed_.reply_to + ">\nSubject: Re: " + missed_.subject +
             "\nMessage-ID: <an.answer@inbox.test>\nIn-Reply-To: " + missed_.message_id + "\n\n" + kAnswer +
             "\n\nOn Sun, 29 Nov 2026 at 10:00, Our chat <chat@holdfast.test> wrote:\n" + quoted + "-- \nAnna\n");
  scene_.between(*UserId::from_bytes(annas_session_->user_id));
  ++last_;
  CHECK(ben_->hears(talk_, last_).posted().body() == kAnswer);
  CHECK(ben_->hears(talk_, last_).author() == annas_session_->user_id);
  scene_.after();
}

void Story::comes_back_and_sees_both() {
  anna_ = std::make_unique<Person>(
      scene_.stage, anna_name_,
      Person::Device{.credentials = client::LogInWith{anna_name_, "not this one"}, .saved = annas_session_});
  scene_.between(*UserId::from_bytes(annas_session_->user_id));
  anna_->hears(talk_, last_);
  CHECK(anna_->said_by(talk_, ben_->id()) == std::vector<std::string>{kMeant, kAdded});
  CHECK(anna_->said_by(talk_, anna_->id()) == std::vector<std::string>{kAnswer});
  CHECK(anna_->client().logins() == 0);
  scene_.after();
}

void Story::forgets_the_password_and_sets_a_new_one() {
  open("/reset");
  browser_.type("#who", anna_name_);
  browser_.click("button");
  browser_.await_text("h1", "Look into your mail");
  scene_.between(anna_->id());
  const std::string link = link_in(next_letter("password"), "/reset");
  // A node that can't tell at this moment says so, and she looks again; what it was in the end type() says.
  comes_true([&] { return open(link), browser_.has("#password"); });
  browser_.type("#password", kNewPassword);
  browser_.click("button");
  browser_.await_text("h1", "Your password is changed");
  scene_.after();
}

void Story::finds_old_sessions_dead_and_logs_in() {
  scene_.stage.until("the old session ends", [this] { return anna_->ended(); });
  // Told while it was connected; or, refused when it came back, the device tried the password that it was given.
  const v1::ErrorCode code = anna_->ending()->code;
  CHECK((code == v1::SESSION_ENDED || code == v1::WRONG_CREDENTIALS));
  scene_.between(*UserId::from_bytes(annas_session_->user_id));
  Person with_old(scene_.stage, anna_name_,
                  Person::Device{.credentials = client::LogInWith{anna_name_, Person::kPassword}});
  scene_.stage.until("the old password is refused", [&] { return with_old.ended(); });
  CHECK(with_old.ending()->code == v1::WRONG_CREDENTIALS);
  Person with_new(scene_.stage, anna_name_, Person::Device{.credentials = client::LogInWith{anna_name_, kNewPassword}});
  scene_.stage.until("the new password is taken", [&] { return with_new.client().online() || with_new.ended(); });
  CHECK_FALSE(with_new.ended());
  CHECK(next_letter("password").text.find("changed") != std::string::npos);
  scene_.after();
}

}  // namespace holdfast::testing
