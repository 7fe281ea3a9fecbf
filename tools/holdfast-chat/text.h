/// Text of others made safe to print, and other small things about text. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::chat {

bool is_utf8(std::string_view text);
/// Without control characters, so that nobody can move another's cursor or colour their terminal: newlines become
/// "\n  " (continued, indented), the rest U+FFFD. What is not UTF-8 comes as "(… bytes)".
std::string printable(std::string_view text);
/// The same on one line, cut to about `columns`.
std::string printable_line(std::string_view text, std::size_t columns);
/// Bytes of the UTF-8 character that begins at `at` (1 if it is none).
std::size_t character_bytes(std::string_view text, std::size_t at);
/// Columns on a terminal.
std::size_t columns_of(std::string_view text);
/// Words; "quotes keep" some together.
std::vector<std::string> split_words(std::string_view line);
/// "14:03", or with the date if that is not today's.
std::string clock_text(std::int64_t time_ms, std::int64_t now_ms);

}  // namespace holdfast::chat
