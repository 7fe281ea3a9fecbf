#include "server/lmtp/lmtp_session.h"

#include <catch2/catch.hpp>

#include "tests/server/lmtp/mail_text.h"

namespace holdfast::lmtp {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{};

std::string address_of(std::uint8_t n) {
  ReplyToken token;
  token.partition = PartitionId(3);
  token.secret.fill(n);
  return format_reply_address(token, "reply.test");
}

/// A session, and a client that writes what is pipelined in one piece and reads only the codes.
struct Play {
  explicit Play(SessionOptions options = {}) : session(std::move(options), kStart) { CHECK(codes() == "220"); }

  /// What came back: "250 2.1.0" and the like, one for each reply, behind each other.
  std::string codes() {
    std::string out;
    std::string_view rest = last = session.take_output();
    while (!rest.empty()) {
      const auto line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(line.size() + 2);
      if (line[3] == '-') continue;  // more of the same reply follow
      const bool enhanced = line.size() > 9 && line[5] == '.' && line[7] == '.';
      out += (out.empty() ? "" : ", ") + std::string(line.substr(0, enhanced ? 9 : 3));
    }
    return out;
  }
  std::string say(std::string_view text) {
    session.receive(crlf(text), now);
    return codes();
  }
  /// Answers the questions that are open: each address but those of `unknown` is known.
  std::string find(Result<ReplyTarget> target = ReplyTarget{std::string(16, 'u'), std::string(16, 'c')}) {
    for (;;) {
      const auto asks = session.take_asks();
      if (asks.empty()) return codes();
      for (const Ask& ask : asks) session.found(std::get<AskTarget>(ask).question, target, now);
    }
  }
  std::string to_recipient() {
    CHECK(say("LHLO client\n") == "250");
    CHECK(say("MAIL FROM:<ada@example.org>\n") == "250 2.1.0");
    CHECK(say("RCPT TO:<" + address_of(1) + ">\n").empty());
    return find();
  }
  std::vector<AskPost> posts() {
    std::vector<AskPost> out;
    for (Ask& ask : session.take_asks()) out.push_back(std::get<AskPost>(std::move(ask)));
    return out;
  }

  SteadyTime now = kStart;
  Session session;
  std::string last;  ///< as it went over the wire
};

const std::string kMail = "Message-ID: <1@example.org>\nSubject: Re: x\n\nHello\n..dotted\n> quoted\n.\n";

}  // namespace

TEST_CASE("LMTP: a mail for two recipients is posted for both, each with its reply in order (RFC 2033, 4.2)") {
  Play play;
  CHECK(play.say("LHLO client.example\n") == "250");
  CHECK(play.last.find("250-PIPELINING\r\n") != std::string::npos);
  CHECK(play.last.find("250-8BITMIME\r\n") != std::string::npos);
  CHECK(play.last.find("250-SIZE 1048576\r\n") != std::string::npos);
  CHECK(play.last.ends_with("250 ENHANCEDSTATUSCODES\r\n"));
  CHECK(play.say("MAIL FROM:<ada@example.org> SIZE=100 BODY=8BITMIME\n") == "250 2.1.0");
  CHECK(play.say("RCPT TO:<" + address_of(1) + ">\n").empty());
  CHECK_FALSE(play.session.wants_input());
  const auto asked = play.session.take_asks();
  REQUIRE(asked.size() == 1);
  CHECK(std::get<AskTarget>(asked[0]).token.partition == PartitionId(3));
  CHECK(std::get<AskTarget>(asked[0]).token.secret[15] == 1);
  play.session.found(std::get<AskTarget>(asked[0]).question, ReplyTarget{"user1", "conversation1"}, play.now);
  CHECK(play.codes() == "250 2.1.5");
  CHECK(play.say("RCPT TO:<" + address_of(2) + ">\n").empty());
  CHECK(play.find(ReplyTarget{"user2", "conversation2"}) == "250 2.1.5");
  CHECK(play.say("DATA\n") == "354");
  CHECK(play.say(kMail).empty());
  const auto posts = play.posts();
  REQUIRE(posts.size() == 2);
  CHECK(posts[0].target.user == "user1");
  CHECK(posts[1].target.conversation == "conversation2");
  CHECK(posts[0].message_id == "<1@example.org>");
  CHECK(posts[1].text == "Hello\n.dotted");
  play.session.posted(posts[1].question, Error{Errc::retry_later, ""}, play.now);  // the second is done first
  CHECK(play.codes().empty());
  play.session.posted(posts[0].question, Ok{}, play.now);
  CHECK(play.codes() == "250 2.0.0, 451 4.3.0");
  CHECK(play.session.figures().posted == 1);
  CHECK(play.session.figures().later == 1);
  CHECK(play.say("QUIT\n") == "221 2.0.0");
  CHECK(play.session.ended());
}

TEST_CASE("LMTP: what is pipelined is answered in order, however it is cut (RFC 2920)") {
  const std::string all =
      crlf("LHLO c\nMAIL FROM:<a@b>\nRCPT TO:<" + address_of(1) + ">\nRCPT TO:<nobody@reply.test>\nRCPT TO:<" +
           address_of(2) + ">\nDATA\n" + kMail + "NOOP\nQUIT\n");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, all.size()}) {
    INFO(piece);
    Play play;
    std::string codes;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      play.session.receive(std::string_view(all).substr(at, piece), play.now);
      for (auto asks = play.session.take_asks(); !asks.empty(); asks = play.session.take_asks()) {
        for (const Ask& ask : asks) {
          if (const auto* target = std::get_if<AskTarget>(&ask))
            play.session.found(target->question, ReplyTarget{"u", "c"}, play.now);
          else
            play.session.posted(std::get<AskPost>(ask).question, Ok{}, play.now);
        }
      }
      if (const auto more = play.codes(); !more.empty()) codes += (codes.empty() ? "" : ", ") + more;
    }
    CHECK(codes == "250, 250 2.1.0, 250 2.1.5, 550 5.1.1, 250 2.1.5, 354, 250 2.0.0, 250 2.0.0, 250 2.0.0, 221 2.0.0");
    CHECK(play.session.ended());
  }
}

TEST_CASE("LMTP: commands in a bad order get 503 and change nothing") {
  Play play;
  CHECK(play.say("MAIL FROM:<a@b>\n") == "503 5.5.1");
  CHECK(play.say("RCPT TO:<a@b>\n") == "503 5.5.1");
  CHECK(play.say("DATA\n") == "503 5.5.1");
  CHECK(play.say("LHLO c\n") == "250");
  CHECK(play.say("RCPT TO:<a@b>\n") == "503 5.5.1");
  CHECK(play.say("DATA\n") == "503 5.5.1");
  CHECK(play.say("MAIL FROM:<a@b>\n") == "250 2.1.0");
  CHECK(play.say("MAIL FROM:<a@b>\n") == "503 5.5.1");
  CHECK(play.say("DATA\n") == "503 5.5.1");  // no recipient
  CHECK(play.say("RCPT TO:<nobody@reply.test>\nDATA\n") == "550 5.1.1, 503 5.5.1");
  CHECK(play.say("RSET\n") == "250 2.0.0");
  CHECK(play.say("RCPT TO:<a@b>\n") == "503 5.5.1");
  CHECK(play.say("MAIL FROM:<a@b>\n") == "250 2.1.0");
  CHECK(play.say("LHLO c\n") == "250");  // forgets the transaction
  CHECK(play.say("RCPT TO:<a@b>\n") == "503 5.5.1");
}

TEST_CASE("LMTP: what is no command, or none of ours, is told so") {
  Play play;
  CHECK(play.say("EHLO c\n") == "502 5.5.1");
  CHECK(play.say("HELO c\n") == "502 5.5.1");
  CHECK(play.say("NONSENSE\n") == "500 5.5.1");
  CHECK(play.say("\n") == "500 5.5.1");
  CHECK(play.say("LHLO\n") == "501 5.5.4");
  CHECK(play.say("lhlo c\n") == "250");
  CHECK(play.say("VRFY ada\n") == "252 2.1.5");
  CHECK(play.say("noop whatever\n") == "250 2.0.0");
  CHECK(play.say("RSET now\n") == "501 5.5.4");
  CHECK(play.say("MAIL TO:<a@b>\n") == "501 5.5.4");
  CHECK(play.say("MAIL FROM:a@b\n") == "501 5.5.4");
  CHECK(play.say("MAIL FROM:<a@b\n") == "501 5.5.4");
  CHECK(play.say("MAIL FROM:<" + std::string(255, 'a') + ">\n") == "501 5.5.4");
  CHECK(play.say("MAIL FROM:<a@b> SIZE=x\n") == "501 5.5.4");
  CHECK(play.say("MAIL FROM:<a@b> BODY=BINARYMIME\n") == "501 5.5.4");
  CHECK(play.say("MAIL FROM:<a@b> RET=FULL\n") == "555 5.5.4");
  CHECK(play.say("MAIL FROM:<a\xc3@b>\n") == "500 5.5.2");
  play.session.receive("NOOP\n", play.now);  // a bare LF
  CHECK(play.codes() == "500 5.5.2");
  CHECK(play.say("MAIL FROM: <\"a>b\"@c> size=10\n") == "250 2.1.0");  // a blank is forgiven
  CHECK(play.say("RCPT TO:<" + address_of(1) + "> NOTIFY=NEVER\n") == "555 5.5.4");
}

TEST_CASE("LMTP: bounces are refused before their recipients (RFC 5321, 6.1)") {
  Play play;
  CHECK(play.say("LHLO c\nMAIL FROM:<>\n") == "250, 550 5.7.1");
  CHECK(play.say("MAIL FROM:<MAILER-DAEMON@example.org>\n") == "550 5.7.1");
}

TEST_CASE("LMTP: an unknown recipient is refused for good, one that can't be looked up for now") {
  SessionOptions options;
  options.reply_domain = "reply.test";
  Play play(options);
  play.say("LHLO c\nMAIL FROM:<a@b>\n");
  CHECK(play.say("RCPT TO:<ada@reply.test>\n") == "550 5.1.1");
  CHECK(play.say("RCPT TO:<reply+" + std::string(29, '1') + "@reply.test>\n") == "550 5.1.1");
  const auto address = address_of(1);
  CHECK(play.say("RCPT TO:<" + address.substr(0, address.find('@')) + "@elsewhere.test>\n") == "550 5.1.1");
  CHECK(play.say("RCPT TO:<" + address + ">\n").empty());
  CHECK(play.find(Error{Errc::not_found, ""}) == "550 5.1.1");
  CHECK(play.say("RCPT TO:<" + address + ">\n").empty());
  CHECK(play.find(Error{Errc::retry_later, ""}) == "451 4.3.0");
  CHECK(play.say("RCPT TO:<@relay.test:" + address + ">\n").empty());  // an old source route is passed over
  CHECK(play.find() == "250 2.1.5");
}

TEST_CASE("LMTP: what became of a post is what the sender's server hears") {
  const std::pair<Status, const char*> cases[] = {
      {Ok{}, "250 2.0.0"},
      {Error{Errc::already_exists, ""}, "250 2.0.0"},
      {Error{Errc::retry_later, ""}, "451 4.3.0"},
      {Error{Errc::not_primary, ""}, "451 4.3.0"},
      {Error{Errc::outcome_unknown, ""}, "451 4.3.0"},
      {Error{Errc::storage_full, ""}, "452 4.3.1"},
      {Error{Errc::invalid_argument, ""}, "554 5.6.0"},
      {Error{Errc::too_large, ""}, "554 5.3.4"},
      {Error{Errc::permission_denied, ""}, "550 5.7.1"},
      {Error{Errc::not_found, ""}, "550 5.1.1"},
  };
  Play play;
  for (const auto& [status, code] : cases) {
    play.to_recipient();
    CHECK(play.say("DATA\n" + kMail) == "354");
    const auto posts = play.posts();
    REQUIRE(posts.size() == 1);
    play.session.posted(posts[0].question, status, play.now);
    CHECK(play.codes() == code);
  }
}

TEST_CASE("LMTP: mail that is no answer is refused and nothing posted") {
  const std::pair<const char*, const char*> cases[] = {
      {"Auto-Submitted: auto-replied\n\nI am away\n.\n", "550 5.7.1"},
      {"List-Id: <x>\n\nhello\n.\n", "550 5.7.1"},
      {"Content-Type: multipart/report; boundary=x\n\nbroken\n.\n", "550 5.7.1"},
      {"Subject: x\n\n> only quoted\n.\n", "554 5.6.0"},
      {"Subject: x\n\n.\n", "554 5.6.0"},
      {".\n", "554 5.6.0"},
      {"Content-Type: text/plain; charset=utf-99\n\nx\n.\n", "554 5.6.1"},
  };
  Play play;
  for (const auto& [mail, code] : cases) {
    INFO(mail);
    play.to_recipient();
    CHECK(play.say("DATA\n") == "354");
    CHECK(play.say(mail) == code);
    CHECK(play.session.take_asks().empty());
  }
  CHECK(play.session.figures().refused == std::size(cases));
}

TEST_CASE("LMTP: a message ends at CRLF dot CRLF and nowhere else") {
  Play play;
  play.to_recipient();
  CHECK(play.say("DATA\n") == "354");
  for (const char* almost :
       {"Hello\n.\n", "\r\n.\n", "x\n.\r\n", "x\r.\r", "x\r\n.\r\r\n", "x\r\n..\r\n", "\r\n.x\r\n"}) {
    play.session.receive(almost, play.now);
    INFO(almost);
    CHECK(play.codes().empty());
    CHECK(play.session.take_asks().empty());
  }
  play.session.receive(".\r\n", play.now);
  CHECK(play.posts().size() == 1);
}

TEST_CASE("LMTP: a message that is too large is refused, by its SIZE or by its bytes, and the next one is taken") {
  SessionOptions options;
  options.message_bytes_max = 1'000;
  Play play(options);
  CHECK(play.say("LHLO c\nMAIL FROM:<a@b> SIZE=1001\n") == "250, 552 5.3.4");
  const std::string head = "Subject: x\n\n";
  const std::string fits = head + std::string(1'000 - 14 - 2, 'a') + "\n.\n";  // CRLF counts twice
  for (const bool large : {true, false}) {
    play.to_recipient();
    CHECK(play.say("DATA\n") == "354");
    CHECK(play.say((large ? "a" : "") + fits) == (large ? "552 5.3.4" : ""));
    CHECK(play.posts().size() == (large ? 0 : 1));
  }
}

TEST_CASE("LMTP: a text that is too long for a message of chat is refused, however little is quoted") {
  SessionOptions options;
  options.text_bytes_max = 10;
  Play play(options);
  for (const bool long_text : {true, false}) {
    play.to_recipient();
    const auto codes = play.say(std::string("DATA\n\n0123456789") + (long_text ? "!" : "") + "\n> and much more\n.\n");
    CHECK(codes == (long_text ? "354, 554 5.3.4" : "354"));
    CHECK(play.posts().size() == (long_text ? 0 : 1));
  }
}

TEST_CASE("LMTP: a message without end ends the connection") {
  SessionOptions options;
  options.message_bytes_max = 1'000;
  options.discarded_bytes_max = 5'000;
  Play play(options);
  play.to_recipient();
  play.say("DATA\n");
  for (int i = 0; i < 5; ++i) CHECK(play.say(std::string(1'000, 'a')).empty());
  CHECK(play.say("a") == "421 4.3.4");
  CHECK(play.session.ended());
}

TEST_CASE("LMTP: lines, recipients, errors and commands have bounds") {
  SessionOptions options;
  options.recipients_max = 2;
  options.errors_max = 3;
  options.commands_max = 12;
  Play play(options);
  play.session.receive(std::string(3'000, 'a'), play.now);
  CHECK(play.codes() == "500 5.5.2");  // at once, not when it ends
  play.session.receive(std::string(3'000, 'a') + "\r\nLHLO c\r\nNOOP " + std::string(994, 'a') + "\r\n", play.now);
  CHECK(play.codes() == "250, 250 2.0.0");
  play.say("MAIL FROM:<a@b>\n");
  for (std::uint8_t n = 1; n <= 2; ++n) {
    play.say("RCPT TO:<" + address_of(n) + ">\n");
    CHECK(play.find() == "250 2.1.5");
  }
  CHECK(play.say("RCPT TO:<" + address_of(3) + ">\n") == "452 4.5.3");
  CHECK(play.say("NOOP " + std::string(995, 'a') + "\n") == "500 5.5.2");  // 1,000 and the CR is one too many
  CHECK(play.say("X\n") == "500 5.5.1");
  CHECK(play.say("X\n") == "500 5.5.1, 421 4.7.0");
  CHECK(play.session.ended());
  CHECK(play.say("NOOP\n").empty());

  Play idle(options);
  for (int i = 0; i < 12; ++i) CHECK(idle.say("NOOP\n") == "250 2.0.0");
  CHECK(idle.say("NOOP\n") == "421 4.7.0");

  Play busy(options);  // who hands over mail may go on for ever
  for (int i = 0; i < 20; ++i) {
    busy.to_recipient();
    busy.say("DATA\n" + kMail);
    for (const auto& post : busy.posts()) busy.session.posted(post.question, Ok{}, busy.now);
    CHECK(busy.codes() == "250 2.0.0");
  }
}

TEST_CASE("LMTP: time has bounds: for a command, for a message, for an answer") {
  Play play;
  play.now += 299s;
  play.session.tick(play.now);
  CHECK(play.codes().empty());
  CHECK(play.to_recipient() == "250 2.1.5");
  CHECK(play.session.deadline() == play.now + 300s);

  CHECK(play.say("RCPT TO:<" + address_of(2) + ">\n").empty());
  CHECK(play.session.deadline() == play.now + 60s);
  const auto late = std::get<AskTarget>(play.session.take_asks().at(0)).question;
  play.now += 60s;
  play.session.tick(play.now);
  CHECK(play.codes() == "451 4.3.0");
  play.session.found(late, ReplyTarget{"u", "c"}, play.now);  // of no interest any more
  CHECK(play.codes().empty());

  CHECK(play.say("DATA\n" + kMail) == "354");
  const auto posts = play.posts();
  REQUIRE(posts.size() == 1);  // only the one that was found in time
  play.now += 60s;
  play.session.tick(play.now);
  CHECK(play.codes() == "451 4.3.0");
  play.session.posted(posts[0].question, Ok{}, play.now);
  CHECK(play.codes().empty());

  play.to_recipient();
  CHECK(play.say("DATA\n") == "354");
  for (int i = 0; i < 6; ++i) {
    CHECK_FALSE(play.session.ended());
    play.now += 100s;
    play.say("a line now and then\n");
    play.session.tick(play.now);
  }
  CHECK(play.session.ended());

  Play idle;
  idle.now += 299s;
  idle.session.receive("NOO", idle.now);  // half a command is none
  idle.now += 1s;
  idle.session.tick(idle.now);
  CHECK(idle.codes() == "421 4.4.2");
  CHECK(idle.session.ended());
}

TEST_CASE("LMTP: a stop lets a post be finished, and nothing else") {
  Play idle;
  idle.session.drain();
  CHECK(idle.codes() == "421 4.3.2");
  CHECK(idle.session.ended());

  Play asking;
  asking.to_recipient();
  asking.say("RCPT TO:<" + address_of(2) + ">\n");
  asking.session.drain();
  CHECK(asking.codes() == "421 4.3.2");
  CHECK(asking.session.take_asks().empty());

  Play posting;
  posting.to_recipient();
  posting.say("DATA\n" + kMail + "NOOP\n");
  const auto posts = posting.posts();
  REQUIRE(posts.size() == 1);
  posting.session.drain();
  CHECK(posting.codes().empty());
  CHECK_FALSE(posting.session.ended());
  posting.session.posted(posts[0].question, Ok{}, posting.now);
  CHECK(posting.codes() == "250 2.0.0, 421 4.3.2");
  CHECK(posting.session.ended());
}

}  // namespace holdfast::lmtp
