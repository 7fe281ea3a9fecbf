/// A mail server that behaves as told: refuses, stalls, drops, loses. smtp_servers.py lists how, and does it.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/storage/temp_directory.h"
#include "tests/support/certificate.h"
#include "tests/support/child.h"

namespace holdfast::testing {

struct SmtpServerOptions {
  std::optional<Certificate> certificate = {};  ///< offers STARTTLS with it
  bool tls_from_the_start = false;              ///< … and instead of STARTTLS, TLS at once
  std::string login = {};                       ///< "user:password" that it wants; empty: none
};

class SmtpServer {
 public:
  /// Started, and taking connections. `behaviour`: one of smtp_servers.py's.
  explicit SmtpServer(const std::string& behaviour, const SmtpServerOptions& options = {});

  std::uint16_t port() const { return port_; }
  /// Mails that it has seen whole, in their order, whatever it answered.
  std::vector<std::string> mails() const;
  std::size_t connections() const { return talk("connection"); }
  std::size_t recipients() const { return talk("rcpt"); }
  std::size_t logins() const { return talk("login"); }

 private:
  std::size_t talk(const std::string& line) const;

  TempDirectory folder_;
  std::optional<Child> child_;
  std::uint16_t port_ = 0;
};

}  // namespace holdfast::testing
