/// What the tests of sending share: a mail, a mailer for these relays, and one answer waited for.
#pragma once

#include <memory>
#include <string>

#include "server/mail/mailer.h"
#include "server/mail/message.h"
#include "tests/support/certificate.h"

namespace holdfast::mail {

/// `text` as its plain part; numbered, so that each has its own Message-ID.
Mail mail_to(const std::string& address, const std::string& text = "Hello\n", int number = 1);

struct SenderOptions {
  std::string relays;   ///< as in the configuration
  std::string ca_file;  ///< empty: the system's
  std::chrono::seconds timeout{20};
  unsigned connections = 1;
};

std::unique_ptr<Mailer> start_mailer(const SenderOptions& options);
/// Sends, and waits for what becomes of it: 60 seconds at most.
Sent send_and_wait(Mailer& mailer, Mail mail);

std::string smtp(std::uint16_t port);      ///< smtp://127.0.0.1:port
std::string starttls(std::uint16_t port);  ///< smtp+starttls://127.0.0.1:port
std::string smtps(std::uint16_t port);     ///< smtps://127.0.0.1:port

}  // namespace holdfast::mail
