/// What an LMTP server answers: a code (RFC 5321, 4.2), an enhanced code (RFC 3463), and a text for people.
#pragma once

#include <string>

namespace holdfast::lmtp {

struct Reply {
  int code = 0;
  std::string enhanced;  ///< "5.1.1"; empty where there is none: LHLO's answer and 354
  std::string text;      ///< one line of printable ASCII, ours: nothing that came with a mail

  /// As it goes over the wire, with CRLF.
  std::string line() const {
    return std::to_string(code) + " " + (enhanced.empty() ? "" : enhanced + " ") + text + "\r\n";
  }
};

}  // namespace holdfast::lmtp
