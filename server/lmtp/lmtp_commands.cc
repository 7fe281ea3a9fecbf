// What each command does. It has its reply when its function returns; RCPT may have it later.
#include <charconv>

#include "server/lmtp/ascii.h"
#include "server/lmtp/lmtp_session.h"

namespace holdfast::lmtp {
namespace {

const Reply kBadOrder{503, "5.5.1", "not now: the order is LHLO, MAIL, RCPT, DATA"};
const Reply kNoArgument{501, "5.5.4", "this command takes no argument"};
const Reply kUnknownRecipient{550, "5.1.1", "nobody is answered at this address, or not any more"};

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void Session::lhlo(std::string_view argument) {
  if (argument.empty()) return reply({501, "5.5.4", "LHLO wants the client's name"});
  state_ = State::greeted;
  reset();
  output_ += "250-" + options_.host_name + "\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE " +
             std::to_string(options_.message_bytes_max) + "\r\n250 ENHANCEDSTATUSCODES\r\n";
}

void Session::mail(std::string_view argument) {
  if (state_ != State::greeted) return reply(kBadOrder);
  const auto path = read_path(argument, "FROM:");
  if (!path) return reply({501, "5.5.4", "MAIL wants FROM:<address>"});
  if (const auto refused = refuse_parameters(*path)) return reply(*refused);
  if (const auto refused = refuse_sender(path->address)) return reply(*refused);
  state_ = State::mail;
  reply({250, "2.1.0", "go on"});
}

std::optional<Reply> Session::refuse_parameters(const Path& path) const {
  for (const auto& [name, value] : path.parameters) {
    if (same_text(name, "SIZE")) {
      const auto size = read_number(value);
      if (!size) return Reply{501, "5.5.4", "SIZE wants a number"};
      if (*size > options_.message_bytes_max)
        return Reply{552, "5.3.4", "more than " + std::to_string(options_.message_bytes_max) + " bytes are not taken"};
    } else if (same_text(name, "BODY")) {
      if (!same_text(value, "7BIT") && !same_text(value, "8BITMIME"))
        return Reply{501, "5.5.4", "BODY is 7BIT or 8BITMIME"};
    } else {
      return Reply{555, "5.5.4", "MAIL knows SIZE and BODY here"};
    }
  }
  return std::nullopt;
}

void Session::rcpt(std::string_view argument, SteadyTime now) {
  if (state_ != State::mail) return reply(kBadOrder);
  const auto path = read_path(argument, "TO:");
  if (!path || path->address.empty()) return reply({501, "5.5.4", "RCPT wants TO:<address>"});
  if (!path->parameters.empty()) return reply({555, "5.5.4", "RCPT takes no parameters here"});
  if (recipients_.size() >= options_.recipients_max)
    return reply({452, "4.5.3", "too many recipients for one message"});
  const auto token = parse_reply_address(path->address, options_.reply_domain);
  if (!token) return reply(kUnknownRecipient);
  asks_.push_back(AskTarget{open_question(recipients_.size(), now), token.value()});
}

void Session::found(std::uint64_t question, Result<ReplyTarget> target, SteadyTime now) {
  if (state_ != State::mail || open_.erase(question) == 0) return;
  wait_for_command(now);
  if (target) {
    recipients_.push_back({std::move(*target), {}});
    reply({250, "2.1.5", "known"});
  } else if (target.error().code == Errc::not_found) {
    reply(kUnknownRecipient);
  } else {
    reply({451, "4.3.0", "this can't be looked up now; come back later"});
  }
  work(now);
}

void Session::data(std::string_view argument, SteadyTime now) {
  if (!argument.empty()) return reply(kNoArgument);
  if (state_ != State::mail) return reply(kBadOrder);
  if (recipients_.empty()) return reply({503, "5.5.1", "not without a recipient that is known"});
  state_ = State::message;
  message_ = std::make_unique<MessageReader>(options_.message_bytes_max);
  deadline_ = now + options_.message_max;
  reply({354, "", "the message, and a line with only a dot behind it"});
}

void Session::rset(std::string_view argument) {
  if (!argument.empty()) return reply(kNoArgument);
  reset();
  reply({250, "2.0.0", "forgotten"});
}

void Session::quit(std::string_view argument) {
  if (!argument.empty()) return reply(kNoArgument);
  end({221, "2.0.0", "good-bye"});
}

}  // namespace holdfast::lmtp
