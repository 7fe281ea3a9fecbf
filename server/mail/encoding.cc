#include "server/mail/encoding.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace holdfast::mail {
namespace {

constexpr std::size_t kLineMax = 76;          // RFC 2045's for bodies; headers keep to it as well
constexpr std::size_t kEncodedBytesMax = 45;  // 60 characters of base64 in an encoded word, which may have 75 in all
constexpr std::size_t kPlainWordMax = 60;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

constexpr std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }
constexpr bool is_control(char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; }

/// Bytes of the character that `text` begins with; 0: it begins with none.
std::size_t character_bytes(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  const std::uint8_t second = byte_at(text, 1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || beyond ? 0 : length;
}

bool is_plain(std::string_view text) {
  return text.find("=?") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0, length = 0;
  for (const char c : text) {
    length = c == ' ' ? 0 : length + 1;
    longest = std::max(longest, length);
  }
  return longest;
}

/// Blanks between encoded words are not part of the text (RFC 2047, 6.2).
std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t taken = 0;
    while (taken < text.size()) {
      const std::size_t next = std::max<std::size_t>(1, character_bytes(text.substr(taken)));
      if (taken + next > kEncodedBytesMax) break;
      taken += next;
    }
    out += (out.empty() ? "=?utf-8?B?" : " =?utf-8?B?") + base64(text.substr(0, taken)) + "?=";
    text.remove_prefix(taken);
  }
  return out;
}

/// One line of quoted-printable, broken softly.
class QuotedLine {
 public:
  explicit QuotedLine(std::string& out) : out_(out) {}

  void put(std::string_view piece) {
    if (!fits(piece.size())) {
      out_ += "=\r\n";
      width_ = 0;
    }
    out_ += piece;
    width_ += piece.size();
  }
  void encode(char c) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<std::uint8_t>(c);
    const std::array<char, 3> piece{'=', kDigits[byte >> 4], kDigits[byte & 15]};
    put({piece.data(), piece.size()});
  }
  /// The next character begins a line, hard or soft.
  bool at_begin() const { return width_ == 0 || !fits(1); }

 private:
  /// One is for the "=" of the next soft break.
  bool fits(std::size_t bytes) const { return width_ + bytes <= kLineMax - 1; }

  std::string& out_;
  std::size_t width_ = 0;
};

void quote_line(std::string_view line, std::string& out) {
  QuotedLine quoted(out);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool last = i + 1 == line.size();
    const bool blank = c == ' ' || c == '\t';
    const bool as_it_is = (blank && !last) || (c > ' ' && c <= '~' && c != '=' && !(c == '.' && quoted.at_begin()));
    if (as_it_is)
      quoted.put(line.substr(i, 1));
    else
      quoted.encode(c);
  }
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    if (c != ' ' && !is_control(c))
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string mail_date(WallTime time) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 64> out;
  std::snprintf(out.data(), out.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
                kDays[std::chrono::weekday(day).c_encoding()], unsigned(date.day()),
                kMonths[unsigned(date.month()) - 1], int(date.year()), int(clock.hours().count()),
                int(clock.minutes().count()), int(clock.seconds().count()));
  return out.data();
}

std::string header_line(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + ":";
  std::size_t width = out.size();
  bool first = true;
  while (!value.empty()) {
    const auto word = value.substr(0, value.find(' '));
    if (!first && width + 1 + word.size() > kLineMax) {  // never before the first word: a line of blanks alone is none
      out += "\r\n";
      width = 0;
    }
    out += " " + std::string(word);
    width += 1 + word.size();
    value.remove_prefix(std::min(value.size(), word.size() + 1));
    first = false;
  }
  return out + "\r\n";
}

std::string unstructured(std::string_view text) {
  const std::string line = one_line(text);
  return is_plain(line) && longest_word(line) <= kPlainWordMax ? line : encoded_words(line);
}

std::string display_name(std::string_view text) {
  const std::string line = one_line(text);
  if (!is_plain(line) || longest_word(line) > kPlainWordMax) return encoded_words(line);
  std::string out = "\"";
  for (const char c : line) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string quoted_printable(std::string_view text) {
  const std::string valid = valid_utf8(text);
  std::string out;
  for (std::string_view rest = valid; !rest.empty();) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    quote_line(line, out);
    out += "\r\n";
  }
  return out;
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < have ? byte_at(bytes, i + j) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= have ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

}  // namespace holdfast::mail
