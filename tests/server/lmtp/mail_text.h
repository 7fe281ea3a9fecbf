/// Mails written down as text: their lines end with LF here and with CRLF on the wire.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::lmtp {

inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace holdfast::lmtp
