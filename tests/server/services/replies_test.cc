#include <catch2/catch.hpp>

#include "server/chat/mail_key.h"
#include "server/lmtp/reply_address.h"
#include "server/services/flows_reply.h"
#include "server/services/replies.h"
#include "server/services/reply_token.h"
#include "server/services/unsubscribe.h"
#include "storage/keys.h"
#include "tests/support/requests.h"
#include "tests/support/town.h"

namespace holdfast::services {
namespace {

using Texts = std::vector<std::string>;

/// Anna was mailed what Ben said, and may answer.
struct Mailed : Town {
  Townsman anna = person("anna"), ben = person("ben", false);
  std::string where = talk(ben, anna);

  Mailed() {
    acknowledge(anna);
    say(ben, where, "are you there?");
    minutes(11);
    HF_CHECK(carrier.sent.size() == 1, "one mail");
  }
  std::string secret() { return reply_secret(node.mail_key(), carrier.sent.front().id); }
  template <class T>
  T run(Task<T> task) {
    std::optional<T> got;
    run_task(std::move(task), [&](T value) { got = std::move(value); });
    node.settle();
    HF_CHECK(got, "a flow ends");
    return std::move(*got);
  }
  Result<ReplyTo> find(const std::string& with) {
    return run(find_reply(node, partition_of(anna.id, node.partitions()), with));
  }
  Status post(const std::string& message_id, const std::string& text) {
    const Result<ReplyTo> to = find(secret());
    if (!to) return to.error();
    return run(post_reply(node, *to, message_id, text));
  }
  Texts said() {
    Texts texts;
    const v1::ServerFrame page = ask(ben, requests::history(where, 1, 100));
    for (const v1::Change& change : page.history().changes())
      if (change.has_posted()) texts.push_back(change.posted().body());
    return texts;
  }
};

template <class T>
Errc errc_of(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("Replies: an answer is posted as the user who was mailed, once for each Message-ID") {
  Mailed town;
  const Result<ReplyTo> to = town.find(town.secret());
  REQUIRE(to);
  CHECK(to->user == town.anna.id);
  CHECK(to->conversation.bytes() == town.where);
  CHECK(town.post("<1@inbox.test>", "I am"));
  CHECK(town.post("<1@inbox.test>", "I am"));
  town.node.advance(std::chrono::hours(24 * 5));
  CHECK(town.post("<1@inbox.test>", "I am"));
  CHECK(town.said() == Texts{"are you there?", "I am"});
  CHECK(town.post("<2@inbox.test>", "I am"));
  CHECK(town.said().size() == 3);
}

TEST_CASE("Replies: the address carries what finds the secret again") {
  Mailed town;
  const std::string& local = town.carrier.sent.front().addition.reply_to_local;
  const PartitionId home = partition_of(town.anna.id, town.node.partitions());
  const auto token = lmtp::parse_reply_address(local + "@reply.test", "reply.test");
  REQUIRE(token);
  CHECK(token->partition == home);
  CHECK(std::string(token->secret.begin(), token->secret.end()) == town.secret());
  CHECK(local == "reply+" + format_reply_token(home, town.secret()));
  CHECK(format_reply_token(PartitionId(0x0102), std::string(16, '\xff')) == "aebp" + std::string(24, '7') + "6");
  for (const auto& [key, value] : town.node.home(town.anna.id).rows) {
    CHECK(key.find(town.secret()) == std::string::npos);
    CHECK(value.find(town.secret()) == std::string::npos);
  }
}

TEST_CASE("Replies: another secret, or one whose time is over, is nobody's") {
  Mailed town;
  CHECK(errc_of(town.find(std::string(16, 'x'))) == Errc::not_found);
  CHECK(errc_of(town.run(find_reply(town.node, PartitionId(999), town.secret()))) == Errc::not_found);
  town.node.advance(std::chrono::hours(14 * 24) + std::chrono::minutes(1));
  CHECK(errc_of(town.find(town.secret())) == Errc::not_found);
  CHECK(town.node.home(town.anna.id).rows.contains(keys::reply(reply_hash(town.secret()))));
  town.node.run_timers();
  CHECK_FALSE(town.node.home(town.anna.id).rows.contains(keys::reply(reply_hash(town.secret()))));
}

TEST_CASE("Replies: another password or another address voids what was given out before, and nothing after it") {
  Mailed town;
  const Result<ReplyTo> found = town.find(town.secret());
  REQUIRE(found);
  SECTION("a password") {
    command::Command changed;  // as the bus brings it
    changed.set_user(town.anna.id.str());
    changed.mutable_mail_account()->mutable_password_changed();
    town.node.home(town.anna.id).run(changed);
  }
  SECTION("an address") {
    command::Command changed;
    changed.set_user(town.anna.id.str());
    changed.mutable_mail_account()->set_address_changed("anna@inbox.test");
    town.node.home(town.anna.id).run(changed);
  }
  CHECK(errc_of(town.find(town.secret())) == Errc::not_found);
  const Status posted = town.run(post_reply(town.node, *found, "<1@inbox.test>", "it is me"));  // found before
  REQUIRE_FALSE(posted);
  CHECK(posted.error().code == Errc::not_found);
  CHECK(town.said() == Texts{"are you there?"});
  town.minutes(1);
  town.say(town.ben, town.where, "and now?");
  town.minutes(11);
  REQUIRE(town.carrier.sent.size() == 2);
  CHECK(town.find(reply_secret(town.node.mail_key(), town.carrier.sent.back().id)));
}

TEST_CASE("Replies: a loop of answers is slowed down, and a repetition is not counted") {
  Mailed town;
  for (std::uint32_t i = 0; i < kAnswersOfAnHour; ++i) REQUIRE(town.post("<" + std::to_string(i) + "@x>", "again"));
  CHECK(errc_of(town.post("<more@x>", "again")) == Errc::retry_later);
  CHECK(town.post("<0@x>", "again"));
  CHECK(town.said().size() == 1 + kAnswersOfAnHour);
  town.node.advance(std::chrono::minutes(2));
  CHECK(town.post("<more@x>", "again"));
  CHECK(errc_of(town.post("<and more@x>", "again")) == Errc::retry_later);
}

TEST_CASE("Replies: who has left, is barred or gone does not answer, and what is no message is refused") {
  Mailed town;
  CHECK(errc_of(town.post("<1@x>", "")) == Errc::invalid_argument);
  CHECK(errc_of(town.post("<2@x>", std::string(100'000, 'x'))) == Errc::too_large);
  const std::string key = keys::account(town.anna.id);
  auto& rows = town.node.home(town.anna.id).rows;
  const std::string account = rows[key];
  state::Account banned = town.node.home(town.anna.id).stored<state::Account>(key).value();
  banned.set_status(v1::BANNED);
  rows[key] = banned.SerializeAsString();
  CHECK(errc_of(town.post("<3@x>", "banned")) == Errc::permission_denied);
  rows[key] = account;
  const std::string club = town.group(town.ben, "Club", {town.anna});
  town.acknowledge(town.anna);
  town.say(town.ben, club, "hello");
  town.minutes(11);
  const std::string secret = reply_secret(town.node.mail_key(), town.carrier.sent.back().id);
  const Result<ReplyTo> to = town.find(secret);
  REQUIRE(to);
  town.ask(town.anna, requests::leave(club));
  CHECK(errc_of(town.run(post_reply(town.node, *to, "<4@x>", "I left"))) == Errc::permission_denied);
  town.ask(town.anna, requests::delete_account("correct horse"));
  CHECK(errc_of(town.find(secret)) == Errc::not_found);
  CHECK(errc_of(town.run(post_reply(town.node, *to, "<5@x>", "I am gone"))) == Errc::not_found);
}

TEST_CASE("Unsubscribe: the link switches mails off, and no other text does") {
  Mailed town;
  const std::string token = unsubscribe_token(town.node.mail_key(), town.anna.id);
  CHECK(town.carrier.sent.front().addition.unsubscribe_url == "https://chat.test/unsubscribe?t=" + token);
  for (const std::string& bad : {std::string(), token.substr(1), token + "A", std::string(64, 'A')})
    CHECK(errc_of(town.run(unsubscribe(town.node, bad))) == Errc::not_found);
  CHECK(errc_of(town.run(unsubscribe(town.node, unsubscribe_token(town.node.mail_key(), UserId())))) ==
        Errc::not_found);
  CHECK(town.run(unsubscribe(town.node, token)));
  CHECK(town.run(unsubscribe(town.node, token)));
  town.say(town.ben, town.where, "two");
  town.minutes(30);
  CHECK(town.carrier.sent.size() == 1);
}

}  // namespace holdfast::services
