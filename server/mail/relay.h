/// A relay: the mail server that takes our mails and carries them on.
///
///   relay    = scheme "://" [user [":" password] "@"] host [":" port]
///   scheme   = "smtp"            plain text, port 25: for a relay on this machine or in a private network
///            | "smtp+starttls"   TLS from STARTTLS on, which is required, port 587
///            | "smtps"           TLS from the first byte, port 465
///   host     = a domain, an IPv4 address, or an IPv6 address in brackets
///
/// User and password may be percent-encoded (RFC 3986). Value; any thread. Holds a password: never log one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::mail {

enum class Security { none, starttls, tls };

struct Relay {
  Security security = Security::none;
  std::string host;  ///< without brackets
  std::uint16_t port = 25;
  std::string user, password;  ///< both empty: no authentication

  /// "host:port", for logs.
  std::string name() const;
};

/// invalid_argument says what is wrong, without the password. One with a password goes over TLS, or to this machine.
Result<Relay> parse_relay(std::string_view text);
/// Several, with commas or blanks between them, in the order in which they are to be tried. None for an empty text.
Result<std::vector<Relay>> parse_relays(std::string_view text);

}  // namespace holdfast::mail
