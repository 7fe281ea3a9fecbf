/// Hands mails to a relay, or to the outbox while there is none. One send() is one attempt over all relays: whether and
/// when to try again is its caller's to decide, who keeps the mail as a durable intent and repeats it under the same
/// Message-ID.
///
/// Relays are tried in order; one that did not answer is tried last for a while. A recipient that a relay refuses
/// for good is not offered to the next one; nor is a mail whose reply to the final dot was lost, since it may be on its
/// way already. Never logs an address, a body or a secret.
///
/// Whether a mail is wanted is decided before it comes here, and may change: nothing waits here longer than `wait_max`,
/// and what is not its sender's to send any more when its turn comes (IsOurs) is not sent.
///
/// Any thread; owns its sender threads and one connection to a relay on each, kept open between mails.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/mail/mail.h"
#include "server/mail/outbox.h"
#include "server/mail/outcome.h"
#include "server/mail/relay.h"

namespace holdfast::mail {

struct MailerOptions {
  std::vector<Relay> relays;                  ///< empty: mails go to the outbox
  std::string ca_file;                        ///< PEM: whom to believe; empty: whom the system believes
  std::string helo = "localhost";             ///< what we call ourselves (EHLO)
  unsigned connections = 2;                   ///< sender threads, and so connections to relays
  std::size_t queue_max = 1'000;              ///< mails waiting for a sender thread
  std::chrono::seconds timeout{30};           ///< for one mail at one relay
  std::chrono::milliseconds wait_max{3'000};  ///< for a sender thread: what has waited so long is not offered
  OutboxOptions outbox;                       ///< its directory is made only if there is no relay
};

struct MailerFigures {
  std::uint64_t sent = 0, later = 0, never = 0;  ///< since the start; `later`: what was not offered, too
  std::uint64_t queued = 0;                      ///< now, those being sent included
};

class Mailer {
 public:
  /// Starts the threads, and says in the log where mails go. Fails if the outbox can't be made.
  static Result<std::unique_ptr<Mailer>> start(MailerOptions options);
  /// stop(), unless that was done.
  ~Mailer();

  /// False: the queue is full, or it is stopped; the mail is not taken and `then` is not called. Otherwise `then` is
  /// called exactly once, on a sender thread (or by stop()), and has to be short: it holds up the thread's next mail.
  /// `is_ours` is asked on a sender thread right before the mail is offered; empty: it is.
  using IsOurs = std::function<bool()>;
  bool send(Mail mail, std::function<void(Sent)> then, IsOurs is_ours = {});
  /// One more would be taken, as things are: ask before making a mail is expensive.
  bool has_room() const;

  MailerFigures figures() const;

  /// Mails that wait are answered `unoffered`; those under way have a few seconds to end, then they are cut off and
  /// answered `later`. Returns when the threads are gone. Not from within a `then`; a second stop() does nothing, but not
  /// while the first is under way.
  void stop();

 private:
  class Impl;
  explicit Mailer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::mail
