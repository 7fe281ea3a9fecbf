/// One LMTP connection (RFC 2033) as a pure machine: bytes in, replies out, questions in between.
///
/// LMTP is what mail servers speak to hand over mail that has reached its place: SMTP with LHLO, and behind DATA a reply
/// for each recipient. Here the recipients are reply addresses, and mail for them becomes posts. Served: PIPELINING (RFC
/// 2920), 8BITMIME (RFC 6152), SIZE (RFC 1870), ENHANCEDSTATUSCODES (RFC 2034).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "server/lmtp/auto_mail.h"
#include "server/lmtp/command.h"
#include "server/lmtp/message_reader.h"
#include "server/lmtp/mime.h"
#include "server/lmtp/reply.h"
#include "server/lmtp/reply_address.h"

namespace holdfast::lmtp {

struct SessionOptions {
  std::string host_name = "holdfast";  ///< what we call ourselves in greetings
  std::string reply_domain;            ///< of the addresses that are ours; empty: any
  std::size_t message_bytes_max = 1 << 20;
  std::size_t text_bytes_max = 64 << 10;       ///< of an answer without its quotes: what fits a message of chat
  std::size_t discarded_bytes_max = 64 << 20;  ///< of one message that is too large; beyond it the connection ends
  std::size_t line_bytes_max = 1'000;          ///< of a command (RFC 5321 asks for 512 and what extensions add)
  std::size_t recipients_max = 100;            ///< of one message (RFC 5321 asks for 100); more are told to come later
  std::size_t errors_max = 20;                 ///< 5xx to commands; then 421
  std::size_t commands_max = 1'000;            ///< without a message that was taken or refused in between; then 421
  std::chrono::seconds command_max{300};       ///< for one command to come (RFC 5321, 4.5.3.2.7)
  std::chrono::seconds message_max{600};       ///< for one message, from 354 to the last dot
  std::chrono::seconds answer_max{60};         ///< for one question to be answered; then 451
  AutoMailRules automatic;
  MimeBounds mime;
};

/// Who answers, and where: what a reply token stands for.
struct ReplyTarget {
  std::string user;           ///< 16-byte id
  std::string conversation;   ///< 16-byte id
  std::string found_by = {};  ///< whatever the finder needs to look again
};

/// Is this recipient known? Answered by found(): not_found is refused for good, every other error is for later.
struct AskTarget {
  std::uint64_t question;
  ReplyToken token;
};
/// Post this. Answered by posted().
struct AskPost {
  std::uint64_t question;
  ReplyTarget target;
  std::string message_id;
  std::string text;
};
using Ask = std::variant<AskTarget, AskPost>;

/// Owned by one connection; its thread. The owner hands in bytes and answers, then carries out what take_asks() and
/// take_output() give, in any order, until ended(). Any input is fine; nothing fails.
/// Invariants: a reply for each command, in order; behind 354 a reply for each accepted recipient, in order. While
/// questions are open no further command is looked at, and no input wanted.
class Session {
 public:
  Session(SessionOptions options, SteadyTime now);  ///< greets

  /// At most a few KiB at a time, and only while wants_input(): what is not looked at yet is kept.
  void receive(std::string_view bytes, SteadyTime now);
  /// Answers to questions; an answer to what isn't open (any more) is passed over.
  void found(std::uint64_t question, Result<ReplyTarget> target, SteadyTime now);
  void posted(std::uint64_t question, const Status& status, SteadyTime now);
  /// Gives up what took too long. To be called by deadline() at the latest; earlier does no harm.
  void tick(SteadyTime now);
  /// The server stops: what is being posted is finished, then 421; everything else at once.
  void drain();

  SteadyTime deadline() const { return deadline_; }
  bool wants_input() const { return !ended_ && open_.empty(); }
  bool ended() const { return ended_; }  ///< send the output, then close
  std::string take_output() { return std::exchange(output_, {}); }
  std::vector<Ask> take_asks() { return std::exchange(asks_, {}); }

  /// What became of messages, one for each recipient.
  struct Figures {
    std::uint64_t posted = 0;
    std::uint64_t refused = 0;  ///< 5xx behind DATA
    std::uint64_t later = 0;    ///< 4xx behind DATA
  };
  const Figures& figures() const { return figures_; }

 private:
  struct Recipient {
    ReplyTarget target;
    Reply reply;  ///< code 0: not answered yet
  };
  enum class State { fresh, greeted, mail, message };

  // lmtp_session.cc
  void work(SteadyTime now);
  bool take_line_of_input(SteadyTime now);
  bool take_message_of_input(SteadyTime now);
  void carry_out(std::string_view line, SteadyTime now);
  void reply(const Reply& reply);
  void end(const Reply& last);
  void reset();
  void wait_for_command(SteadyTime now) { deadline_ = now + options_.command_max; }
  std::uint64_t open_question(std::size_t recipient, SteadyTime now);
  // lmtp_commands.cc
  void lhlo(std::string_view argument);
  void mail(std::string_view argument);
  void rcpt(std::string_view argument, SteadyTime now);
  void data(std::string_view argument, SteadyTime now);
  void rset(std::string_view argument);
  void quit(std::string_view argument);
  std::optional<Reply> refuse_parameters(const Path& path) const;
  // lmtp_delivery.cc
  void message_is_whole(SteadyTime now);
  void post_to_all(const struct Answer& answer, SteadyTime now);
  void reply_to_all(const Reply& reply, SteadyTime now);
  void finish_message(SteadyTime now);

  const SessionOptions options_;
  State state_ = State::fresh;
  std::string input_;        ///< bounded: one piece, and a line that is not whole
  bool skips_line_ = false;  ///< one that was too long, up to its end
  std::string output_;
  std::vector<Ask> asks_;
  /// Questions that wait for answers, and for which recipient: the next one (RCPT), or that of this index (a post).
  std::map<std::uint64_t, std::size_t> open_;
  std::uint64_t next_question_ = 1;
  std::vector<Recipient> recipients_;
  std::unique_ptr<MessageReader> message_;  ///< in State::message
  SteadyTime deadline_;
  std::size_t errors_ = 0;
  std::size_t commands_ = 0;
  bool draining_ = false;
  bool ended_ = false;
  Figures figures_;
};

}  // namespace holdfast::lmtp
