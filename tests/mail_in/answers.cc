#include "tests/mail_in/answers.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <istream>

#include "server/lmtp/reply_address.h"

namespace holdfast::testing {

namespace asio = boost::asio;
using namespace lmtp;

namespace {

constexpr std::uint8_t kKnownMax = 9;

/// SMTP as far as a test speaks it: one line, one reply.
class Smtp {
 public:
  explicit Smtp(std::uint16_t port) : socket_(context_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    expect("220");
  }
  void say(const std::string& line, const std::string& code) {
    INFO(line.substr(0, 100));
    send(line);
    expect(code);
  }
  void send(const std::string& line) { asio::write(socket_, asio::buffer(line + "\r\n")); }
  /// The last line of a reply.
  std::string hear() {
    std::string line;
    do {
      asio::read_until(socket_, input_, "\r\n");
      std::istream in(&input_);
      std::getline(in, line);
    } while (line.size() > 3 && line[3] == '-');
    return line;
  }

 private:
  void expect(const std::string& code) { REQUIRE(hear().substr(0, 3) == code); }

  asio::io_context context_;
  tcp::socket socket_;
  asio::streambuf input_;
};

/// With CRLF, and a dot before each line that begins with one.
std::string over_the_wire(const std::string& mail) {
  std::string out = mail.starts_with('.') ? "." : "";
  for (std::size_t i = 0; i < mail.size(); ++i) {
    out += mail[i] == '\n' ? "\r\n" : std::string(1, mail[i]);
    if (mail[i] == '\n' && i + 1 < mail.size() && mail[i + 1] == '.') out += '.';
  }
  return out;
}

}  // namespace

std::string address_of(std::uint8_t recipient) {
  ReplyToken token;
  token.secret.fill(recipient);
  return format_reply_address(token, "reply.test");
}

AnswerListener::AnswerListener(std::vector<Status> outcomes, SessionOptions session)
    : server_(context_.get_executor(), parts(), {.session = std::move(session)}), outcomes_(std::move(outcomes)) {
  const auto bound = server_.listen({"127.0.0.1", 0});
  REQUIRE(bound);
  port_ = bound.value().port();
  thread_ = std::thread([this] { context_.run(); });
}

AnswerListener::~AnswerListener() {
  asio::post(context_, [this] { server_.stop([] {}); });
  thread_.join();  // nothing is left to run then
}

Parts AnswerListener::parts() {
  return {.find =
              [](ReplyToken token, auto then) {
                if (token.secret[0] == 0 || token.secret[0] > kKnownMax) return then(Error{Errc::not_found, ""});
                then(ReplyTarget{std::string(1, static_cast<char>(token.secret[0])), "conversation"});
              },
          .post = [this](ReplyTarget target, std::string message_id, std::string text,
                         auto then) { then(take(target, std::move(message_id), std::move(text))); }};
}

Status AnswerListener::take(const ReplyTarget& target, std::string message_id, std::string text) {
  const std::lock_guard lock(mutex_);
  taken_.push_back({static_cast<std::uint8_t>(target.user[0]), std::move(message_id), std::move(text)});
  changed_.notify_all();
  return used_outcomes_ < outcomes_.size() ? outcomes_[used_outcomes_++] : Status(Ok{});
}

std::vector<TakenAnswer> AnswerListener::wait_for(std::size_t answers) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(30), [&] { return taken_.size() >= answers; });
  return taken_;
}

void submit(std::uint16_t port, const std::string& from, const std::vector<std::string>& to, const std::string& mail) {
  Smtp smtp(port);
  smtp.say("EHLO client.test", "250");
  smtp.say("MAIL FROM:<" + from + ">", "250");
  for (const auto& one : to) smtp.say("RCPT TO:<" + one + ">", "250");
  smtp.say("DATA", "354");
  smtp.say(over_the_wire(mail) + (mail.ends_with('\n') ? "." : "\r\n."), "250");
  smtp.say("QUIT", "221");
}

std::string reply_to_recipient(std::uint16_t port, const std::string& address) {
  Smtp smtp(port);
  smtp.say("EHLO client.test", "250");
  smtp.say("MAIL FROM:<ada@inbox.test>", "250");
  smtp.send("RCPT TO:<" + address + ">");
  return smtp.hear();
}

}  // namespace holdfast::testing
