/// One connection to relays, by libcurl: offers one mail to one relay at a time, and keeps the connection for the next.
///
/// Blocking: for at most `timeout` and a second (twice that where a kept connection turns out to be dead), and for a
/// second once `give_up` is set. One thread.
#pragma once

#include <atomic>
#include <chrono>
#include <set>
#include <string>

#include "server/mail/mail.h"
#include "server/mail/outcome.h"
#include "server/mail/relay.h"

namespace holdfast::mail {

struct SmtpClientOptions {
  std::string ca_file;  ///< PEM; empty: the system's
  std::string helo;     ///< a domain
  std::chrono::seconds timeout{30};
};

struct Attempt {
  Sent sent;
  bool may_go_elsewhere = false;  ///< not sent, and another relay may be asked without the risk of a second copy
  bool was_unreachable = false;   ///< the relay has not said a word
};

class SmtpClient {
 public:
  /// `give_up` outlives it; once true, what is under way ends as `later`.
  SmtpClient(SmtpClientOptions options, const std::atomic<bool>& give_up);
  ~SmtpClient();
  SmtpClient(const SmtpClient&) = delete;
  SmtpClient& operator=(const SmtpClient&) = delete;

  Attempt offer(const Relay& relay, const Mail& mail);

 private:
  class Exchange;
  static int open_socket(void* self, void* address);
  static int close_socket(void* self, int socket);
  void spoil_connection();
  void set_relay(const Relay& relay, bool fresh);
  Attempt offer_once(const Relay& relay, const Mail& mail, bool fresh, bool& was_reused);

  const SmtpClientOptions options_;
  const std::atomic<bool>& give_up_;
  void* curl_;             ///< a CURL*
  std::set<int> sockets_;  ///< open ones, of kept connections too
};

}  // namespace holdfast::mail
