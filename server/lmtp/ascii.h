/// Text of mail protocols: ASCII without regard to case, and without the locale.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::lmtp {

inline constexpr std::string_view kBlanks = " \t";
inline constexpr std::string_view kSpaces = " \t\r\n";

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

constexpr bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

constexpr bool begins_with_text(std::string_view text, std::string_view beginning) {
  return text.size() >= beginning.size() && same_text(text.substr(0, beginning.size()), beginning);
}

constexpr std::string_view trim(std::string_view text, std::string_view what = kSpaces) {
  const auto begin = text.find_first_not_of(what);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(what) - begin + 1);
}

constexpr int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

/// Takes the next line off `rest`, without its CRLF or LF. The last one need not have one. Nothing if `rest` is empty.
constexpr std::optional<std::string_view> take_line(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace holdfast::lmtp
