#include "server/services/mail_sender.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "server/services/incident_mail.h"
#include "server/services/link_token.h"
#include "server/services/unsubscribe.h"
#include "server/services/verification_mail.h"
#include "tests/storage/temp_directory.h"
#include "tests/support/fake_backend.h"

namespace holdfast::services {
namespace {

using Done = command::IntentDone;

struct Desk {
  TempDirectory directory;
  std::unique_ptr<mail::Mailer> mailer = [this] {
    mail::MailerOptions options;
    options.outbox.directory = directory.path() / "outbox";
    auto started = mail::Mailer::start(std::move(options));
    HF_CHECK(started, "an outbox can be made");
    return std::move(*started);
  }();
  mail::Templates templates = *mail::Templates::load();
  MailSender sender{{.base_url = "https://chat.test",
                     .from = "chat@chat.test",
                     .from_name = "Our chat",
                     .language = "en",
                     .domain = "chat.test",
                     .reply_domain = "reply.test"},
                    templates,
                    *mailer};
  chat::FakeBackend backend;
  chat::BeginIntent intent;
  IsOurs is_ours;

  Desk() {
    SeededRandom random(5);
    intent.user = random.id<UserId>();
    intent.id = random.id<IntentId>();
    intent.intent.set_created_ms(1'700'000'000'000);
    intent.intent.mutable_mail()->set_template_("password_reset");
    intent.intent.mutable_mail()->set_to("anna@inbox.test");
    intent.intent.mutable_mail()->set_link(state::Mail::RESET);
    set("user", "anna");
    set("minutes", "30");
  }
  void set(const char* name, const char* value) {
    auto& added = *intent.intent.mutable_mail()->add_values();
    added.set_name(name);
    added.set_value(value);
  }
  Done begin() {
    std::promise<Done> promise;
    sender.begin(backend, intent, is_ours, [&](const Done& done) { promise.set_value(done); });
    backend.settle();
    return promise.get_future().get();
  }
  std::vector<std::string> mails() const {
    std::vector<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator(directory.path() / "outbox")) {
      std::ifstream in(file.path());
      found.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return found;
  }
};

/// Quoted-printable's soft line breaks and "=3D" undone.
std::string plain(std::string text) {
  for (std::size_t at; (at = text.find("=\r\n")) != std::string::npos;) text.erase(at, 3);
  for (std::size_t at = 0; (at = text.find("=3D", at)) != std::string::npos; ++at) text.replace(at, 3, "=");
  return text;
}

}  // namespace

TEST_CASE("MailSender: an intent becomes a mail with its link, and the same again has the same Message-ID") {
  Desk desk;
  CHECK(desk.begin().outcome() == Done::DONE);
  REQUIRE(desk.mails().size() == 1);
  const std::string first = desk.mails().front();
  CHECK(first.find("To: <anna@inbox.test>") != std::string::npos);
  const std::string secret = desk.backend.mail_key().secret("reset", desk.intent.id);
  const std::string token = LinkToken{desk.intent.user, desk.intent.id, secret}.str();
  CHECK(plain(first).find("https://chat.test/reset?t=" + token) != std::string::npos);
  CHECK(desk.begin().outcome() == Done::DONE);
  REQUIRE(desk.mails().size() == 1);
  CHECK(desk.mails().front() == first);
}

TEST_CASE("MailSender: what a service adds is in the mail, and what it takes back is not sent") {
  Desk desk;
  Addition addition;
  desk.sender.add("password_reset",
                  [&addition](chat::Backend&, chat::BeginIntent) -> Task<Addition> { co_return addition; });
  addition.unwanted = true;
  CHECK(desk.begin().outcome() == Done::UNWANTED);
  addition = {};
  addition.later = true;
  CHECK(desk.begin().outcome() == Done::LATER);
  CHECK(desk.mails().empty());
  addition = {};
  addition.template_name = "missed_notice";
  addition.values.single["conversation"] = "Ben";
  addition.values.single["count"] = "3";
  addition.reply_to_local = "reply+abc";
  addition.unsubscribe_url = "https://chat.test/unsubscribe?t=x";
  CHECK(desk.begin().outcome() == Done::DONE);
  REQUIRE(desk.mails().size() == 1);
  const std::string mail = plain(desk.mails().front());
  CHECK(mail.find("Ben") != std::string::npos);
  CHECK(mail.find("https://chat.test/unsubscribe?t=x") != std::string::npos);
  CHECK(mail.find("Reply-To: <reply+abc@reply.test>") != std::string::npos);
  CHECK(mail.find("List-Unsubscribe-Post: List-Unsubscribe=One-Click") != std::string::npos);
}

TEST_CASE("MailSender: an address that is none is for good, a template that is missing is for later") {
  Desk desk;
  desk.intent.intent.mutable_mail()->set_to("anna@inbox.test\r\nBcc: all@inbox.test");
  CHECK(desk.begin().outcome() == Done::NEVER);
  desk.intent.intent.mutable_mail()->set_to("anna@inbox.test");
  desk.intent.intent.mutable_mail()->set_template_("unknown");
  CHECK(desk.begin().outcome() == Done::LATER);
  CHECK(desk.mails().empty());
}

TEST_CASE("MailSender: what has gone to another primary is not sent, and counts as no attempt") {
  Desk desk;
  desk.is_ours = [] { return false; };
  CHECK(desk.begin().outcome() == Done::BUSY);
  CHECK(desk.mails().empty());
  desk.is_ours = [] { return true; };
  CHECK(desk.begin().outcome() == Done::DONE);
}

TEST_CASE("MailSender: who wants no more mails about incidents is told how, by one click too") {
  Desk desk;
  desk.sender.add("incident", assemble_incident("https://chat.test"));
  desk.intent.intent.mutable_mail()->set_template_("incident");
  desk.intent.intent.mutable_mail()->set_link(state::Mail::NONE);
  desk.set("text", "The machine room is hot");
  CHECK(desk.begin().outcome() == Done::DONE);
  REQUIRE(desk.mails().size() == 1);
  const std::string mail = plain(desk.mails().front());
  const std::string url =
      "https://chat.test/unsubscribe?t=" + unsubscribe_token(desk.backend.mail_key(), desk.intent.user);
  CHECK(mail.find("List-Unsubscribe: <" + url + ">") != std::string::npos);
  CHECK(mail.find("List-Unsubscribe-Post: List-Unsubscribe=One-Click") != std::string::npos);
}

TEST_CASE("MailSender: an address is mailed to be verified five times an hour, whoever registers with it") {
  Desk desk;
  desk.sender.add("verify_address", assemble_verification());
  desk.intent.intent.mutable_mail()->set_template_("verify_address");
  desk.intent.intent.mutable_mail()->set_link(state::Mail::VERIFY);
  desk.set("hours", "24");
  SeededRandom random(9);
  const auto register_once = [&] {
    desk.intent.user = random.id<UserId>();
    desk.intent.id = random.id<IntentId>();
    return desk.begin().outcome();
  };
  for (int i = 0; i < 5; ++i) CHECK(register_once() == Done::DONE);
  CHECK(register_once() == Done::UNWANTED);
  CHECK(desk.mails().size() == 5);
  desk.intent.intent.mutable_mail()->set_to("other@inbox.test");
  CHECK(register_once() == Done::DONE);
  desk.backend.advance(std::chrono::hours(1));
  desk.intent.intent.mutable_mail()->set_to("anna@inbox.test");
  CHECK(register_once() == Done::DONE);
}

TEST_CASE("MailSender: nothing is put together while the mailer takes nothing") {
  Desk desk;
  bool assembled = false;
  desk.sender.add("password_reset", [&assembled](chat::Backend&, chat::BeginIntent) -> Task<Addition> {
    assembled = true;
    co_return Addition{};
  });
  desk.mailer->stop();
  CHECK(desk.begin().outcome() == Done::BUSY);
  CHECK_FALSE(assembled);
}

TEST_CASE("LinkToken: there and back, and only what we made is one") {
  SeededRandom random(1);
  const LinkToken token{random.id<UserId>(), random.id<IntentId>(), std::string(32, 's')};
  const std::string text = token.str();
  CHECK(text.size() == 86);
  const auto parsed = LinkToken::parse(text);
  REQUIRE(parsed);
  CHECK(parsed->user == token.user);
  CHECK(parsed->intent == token.intent);
  CHECK(parsed->secret == token.secret);
  for (const std::string& other : {text + "A", text.substr(1), text + "=", std::string("%") + text.substr(1),
                                   text.substr(0, 85) + (text.back() == 'B' ? "C" : "B"), std::string()})
    CHECK_FALSE(LinkToken::parse(other));
}

}  // namespace holdfast::services
