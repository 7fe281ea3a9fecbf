#include "tools/holdfast-chat/text.h"

#include <wchar.h>

#include <array>
#include <ctime>

namespace holdfast::chat {

namespace {

/// The code point at the front of `text` and its bytes; 0 bytes if there is none (RFC 3629, no surrogates, shortest
/// forms only).
struct Decoded {
  char32_t point = 0;
  std::size_t bytes = 0;
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return {};
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return {};
  char32_t point = first & (0x7F >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool good = point >= kLeast[bytes] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  return good ? Decoded{point, bytes} : Decoded{};
}

/// Controls (C0, C1, DEL) and what turns the direction of text around.
bool is_dangerous(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

std::string filter(std::string_view text, const char* newline) {
  if (!is_utf8(text)) return "(" + std::to_string(text.size()) + " bytes)";
  std::string out;
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.point == '\n')
      out += newline;
    else if (next.point == '\t')
      out += "  ";
    else if (is_dangerous(next.point))
      out += "\uFFFD";
    else
      out += text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
  }
  return out;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.bytes == 0) return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

std::string printable(std::string_view text) { return filter(text, "\n  "); }

std::string printable_line(std::string_view text, std::size_t columns) {
  std::string line = filter(text, " ");
  std::size_t at = 0;
  while (at < line.size() && columns_of(std::string_view(line).substr(0, at)) < columns)
    at += character_bytes(line, at);
  if (at < line.size()) line = line.substr(0, at) + "…";
  return line;
}

std::size_t character_bytes(std::string_view text, std::size_t at) {
  const Decoded next = decode(text.substr(at));
  return next.bytes == 0 ? 1 : next.bytes;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.bytes == 0) return columns + text.size();
    const int width = ::wcwidth(static_cast<wchar_t>(next.point));
    columns += width < 0 ? 1 : static_cast<std::size_t>(width);
    text.remove_prefix(next.bytes);
  }
  return columns;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      if (!open) words.emplace_back();
      open = true;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      open = false;
    } else {
      if (!open) words.emplace_back();
      open = true;
      words.back() += c;
    }
  }
  return words;
}

std::string clock_text(std::int64_t time_ms, std::int64_t now_ms) {
  const auto broken = [](std::int64_t ms) {
    const std::time_t seconds = ms / 1000;
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
  };
  const std::tm then = broken(time_ms);
  const std::tm today = broken(now_ms);
  const bool same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), same_day ? "%H:%M" : "%Y-%m-%d %H:%M", &then);
  return text.data();
}

}  // namespace holdfast::chat
