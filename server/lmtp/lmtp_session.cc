#include "server/lmtp/lmtp_session.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::lmtp {
namespace {

bool is_printable(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 127; });
}

/// Of the protocol; a recipient that isn't known is none.
bool is_error_of_client(int code) { return (code >= 500 && code <= 504) || code == 555; }

}  // namespace

Session::Session(SessionOptions options, SteadyTime now) : options_(std::move(options)) {
  reply({220, "", options_.host_name + " LMTP Holdfast ready"});
  wait_for_command(now);
}

void Session::receive(std::string_view bytes, SteadyTime now) {
  if (ended_) return;
  input_ += bytes;
  work(now);
}

void Session::work(SteadyTime now) {
  while (wants_input()) {
    const bool went_on = state_ == State::message ? take_message_of_input(now) : take_line_of_input(now);
    if (!went_on) return;
  }
}

/// False: there is no whole line.
bool Session::take_line_of_input(SteadyTime now) {
  const auto length = input_.find('\n');
  if (length == std::string::npos) {
    if (!skips_line_ && input_.size() <= options_.line_bytes_max) return false;
    if (!std::exchange(skips_line_, true)) reply({500, "5.5.2", "this line is too long"});
    input_.clear();
    return false;
  }
  std::string line = input_.substr(0, length);
  input_.erase(0, length + 1);
  if (std::exchange(skips_line_, false)) return true;
  if (line.size() > options_.line_bytes_max) {
    reply({500, "5.5.2", "this line is too long"});
  } else if (!line.ends_with('\r')) {
    reply({500, "5.5.2", "lines end with CR and LF"});
  } else {
    line.pop_back();
    carry_out(line, now);
  }
  return true;
}

/// False: it isn't whole.
bool Session::take_message_of_input(SteadyTime now) {
  std::string_view rest = input_;
  const bool whole = message_->take(rest);
  input_.erase(0, input_.size() - rest.size());
  if (message_->size() > options_.discarded_bytes_max) {
    end({421, "4.3.4", "this message is far too large"});
  } else if (whole) {
    message_is_whole(now);
  }
  return whole;
}

void Session::carry_out(std::string_view line, SteadyTime now) {
  if (!is_printable(line)) return reply({500, "5.5.2", "commands are printable ASCII"});
  if (++commands_ > options_.commands_max) return end({421, "4.7.0", "too many commands and no message"});
  wait_for_command(now);
  const Command command = read_command(line);
  switch (command.verb) {
    case Verb::lhlo: return lhlo(command.argument);
    case Verb::mail: return mail(command.argument);
    case Verb::rcpt: return rcpt(command.argument, now);
    case Verb::data: return data(command.argument, now);
    case Verb::rset: return rset(command.argument);
    case Verb::quit: return quit(command.argument);
    case Verb::noop: return reply({250, "2.0.0", "done, nothing"});
    case Verb::vrfy: return reply({252, "2.1.5", "mail it, and you will see"});
    case Verb::not_implemented: return reply({502, "5.5.1", "this is LMTP, without that command; begin with LHLO"});
    case Verb::unknown: return reply({500, "5.5.1", "there is no such command"});
  }
}

void Session::reply(const Reply& reply) {
  output_ += reply.line();
  if (is_error_of_client(reply.code) && ++errors_ > options_.errors_max) end({421, "4.7.0", "too many errors"});
}

void Session::end(const Reply& last) {
  output_ += last.line();
  ended_ = true;
  reset();
  input_ = std::string();
}

/// No transaction; whatever was asked for it is of no interest any more.
void Session::reset() {
  if (state_ != State::fresh) state_ = State::greeted;
  recipients_.clear();
  message_.reset();
  open_.clear();
  asks_.clear();
}

std::uint64_t Session::open_question(std::size_t recipient, SteadyTime now) {
  open_.emplace(next_question_, recipient);
  deadline_ = now + options_.answer_max;
  return next_question_++;
}

void Session::tick(SteadyTime now) {
  if (ended_ || now < deadline_) return;
  if (open_.empty()) return end({421, "4.4.2", "nothing whole came for too long"});
  const Error late{Errc::retry_later, "no answer in time"};
  const bool finding = state_ == State::mail;
  for (const auto& [question, recipient] : std::map(open_))
    finding ? found(question, late, now) : posted(question, late, now);
}

void Session::drain() {
  draining_ = true;
  const bool posting = state_ == State::message && !open_.empty();
  if (!ended_ && !posting) end({421, "4.3.2", "this server stops; come back later, or to another one"});
}

}  // namespace holdfast::lmtp
