#include "server/lmtp/transfer_encoding.h"

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// One line of quoted-printable, without its end. False: a soft break, the next line goes on here.
bool decode_line(std::string_view line, std::string& out) {
  const auto last = line.find_last_not_of(kBlanks);
  line = line.substr(0, last == std::string_view::npos ? 0 : last + 1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '=') {
      out += line[i];
      continue;
    }
    if (i + 1 == line.size()) return false;
    const int high = hex_digit(line[i + 1]);
    const int low = i + 2 < line.size() ? hex_digit(line[i + 2]) : -1;
    if (high < 0 || low < 0) {
      out += '=';
      continue;
    }
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

}  // namespace

std::string decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  unsigned held = 0, bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int digit = base64_digit(c);
    if (digit < 0) continue;
    held = (held << 6 | static_cast<unsigned>(digit)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 0xff);
  }
  return out;
}

std::string decode_quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const bool ends = text.find('\n') != std::string_view::npos;
    if (decode_line(*take_line(text), out) && ends) out += '\n';
  }
  return out;
}

Result<std::string> decode_transfer(std::string_view body, std::string_view encoding) {
  encoding = trim(encoding);
  if (same_text(encoding, "quoted-printable")) return decode_quoted_printable(body);
  if (same_text(encoding, "base64")) return decode_base64(body);
  for (const std::string_view plain : {"", "7bit", "8bit", "binary"}) {
    if (same_text(encoding, plain)) return std::string(body);
  }
  return Error{Errc::unsupported, "a part comes in a transfer encoding that is not known here"};
}

}  // namespace holdfast::lmtp
