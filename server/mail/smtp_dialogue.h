/// What was said between us and a relay while one mail was offered, and what follows from it.
///
/// Pure: fed with our commands and the relay's reply lines in the order of the wire. One thread.
///
/// A 5xx is held against the recipient only where it is about the recipient or the mail: in answer to RCPT or to the
/// final dot (or 552 to MAIL, which tells the size), and not with an enhanced status of 5.5.x (protocol) or 5.7.x (policy: "relay access denied"), which are
/// about us (RFC 3463). Everything else that is not a success is `later`.
#pragma once

#include <string>
#include <string_view>

#include "server/mail/outcome.h"

namespace holdfast::mail {

class SmtpDialogue {
 public:
  /// A command of ours, with or without its CRLF. Only its verb is looked at; nothing of it is kept.
  void said(std::string_view command);
  /// A reply line of the relay.
  void heard(std::string_view line);
  /// The mail and its final dot are on their way.
  void said_all() { dot_is_out_ = true; }

  bool heard_anything() const { return heard_anything_; }
  /// The relay may have the mail, and we don't know: the final dot was sent and no reply to it has come.
  bool is_in_doubt() const { return dot_is_out_ && !dot_is_answered_; }

  /// After a failure. `trouble` says what failed below SMTP, for when the relay has said nothing against it.
  Sent verdict(std::string_view trouble, std::string_view recipient) const;
  /// After a success.
  Sent success() const;

 private:
  enum class Phase { hello, sender, recipient, data };
  bool is_final() const;

  Phase phase_ = Phase::hello;
  bool heard_anything_ = false, dot_is_out_ = false, dot_is_answered_ = false;
  bool is_over_ = false;     ///< QUIT was said
  bool more_lines_ = false;  ///< the reply goes on
  int code_ = 0;             ///< of the last reply
  std::string reply_;        ///< its text, lines joined by blanks
};

/// A relay's text as it may be kept and logged: on one line of at most 200 bytes, without whatever may be an address, a
/// link, a secret, or `recipient` by its local part.
std::string without_addresses(std::string_view text, std::string_view recipient);

}  // namespace holdfast::mail
