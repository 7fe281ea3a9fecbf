/// One command line of LMTP (RFC 2033, with RFC 5321's grammar), taken apart.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::lmtp {

enum class Verb {
  lhlo,
  mail,
  rcpt,
  data,
  rset,
  noop,
  quit,
  vrfy,
  not_implemented,  ///< known to SMTP, and not served here
  unknown,
};

/// Lies in the line it was read from.
struct Command {
  Verb verb = Verb::unknown;
  std::string_view argument;  ///< what follows, without blanks around it
};

/// `line` is printable ASCII, without its CRLF.
Command read_command(std::string_view line);

/// "<ada@example.org> SIZE=100 BODY=8BITMIME" behind FROM: or TO:.
struct Path {
  std::string_view
      address;  ///< without its brackets and without a source route (RFC 5321, 4.1.2); empty: the null sender
  std::vector<std::pair<std::string_view, std::string_view>> parameters;  ///< as written; a value may be empty
};

/// `keyword` is "FROM:" or "TO:". Nothing if it is not there, or the brackets are missing, or what is in them is longer
/// than an address can be (RFC 5321, 4.5.3.1.3: 256 with the brackets).
std::optional<Path> read_path(std::string_view argument, std::string_view keyword);

}  // namespace holdfast::lmtp
